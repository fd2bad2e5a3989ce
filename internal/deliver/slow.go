package deliver

import (
	"context"
	"io"
	"time"
)

// slowPieces is in how many pieces a slow body is sent.
const slowPieces = 8

// slowBody hands out a body in pieces, with pauses before all but the first.
type slowBody struct {
	ctx  context.Context
	rest []byte
	// left is what is left of the piece that is on its way: who reads may take less
	// than that at a time.
	piece, left int
	pause       time.Duration
}

func newSlowBody(ctx context.Context, body []byte, span time.Duration) io.ReadCloser {
	pieces := min(slowPieces, len(body))
	piece := (len(body) + pieces - 1) / pieces
	return &slowBody{ctx: ctx, rest: body, piece: piece, left: piece, pause: span / time.Duration(max(1, pieces-1))}
}

func (b *slowBody) Read(p []byte) (int, error) {
	if len(b.rest) == 0 {
		return 0, io.EOF
	}
	if b.left == 0 {
		if err := Sleep(b.ctx, b.pause); err != nil {
			return 0, err
		}
		b.left = b.piece
	}
	n := copy(p, b.rest[:min(b.left, len(b.rest))])
	b.rest, b.left = b.rest[n:], b.left-n
	return n, nil
}

func (b *slowBody) Close() error { return nil }
