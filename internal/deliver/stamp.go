package deliver

import (
	"bytes"
	"context"
	"io"
	"maps"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/leapfinancial/m2m/internal/delivery"
	"github.com/leapfinancial/m2m/internal/fixtures"
	"github.com/leapfinancial/m2m/internal/sign"
)

// stamp makes the requests that a Spec makes, of the payloads of a press, but works out
// only once what is the same in all of them. Safe for concurrent use.
type stamp struct {
	press   *fixtures.Press
	signers sync.Pool
	// blanks are the requests of each event, without body and signature.
	blanks []*http.Request
	// signs and dates say that the user has not set these headers.
	signs, dates bool
}

func newStamp(ctx context.Context, spec Spec, press *fixtures.Press) (*stamp, error) {
	s := &stamp{press: press, signs: true, dates: true}
	s.signers.New = func() any { return sign.NewSigner(spec.Key) }
	for _, edit := range spec.Edits {
		s.signs = s.signs && !strings.EqualFold(edit.Name, delivery.SignatureHeader)
		s.dates = s.dates && !strings.EqualFold(edit.Name, delivery.TimestampHeader)
	}
	for _, payload := range press.Samples() {
		blank, err := wireRequest(ctx, spec.Request(payload, "0"))
		if err != nil {
			return nil, err
		}
		s.blanks = append(s.blanks, blank)
	}
	return s, nil
}

// next returns the request of the next delivery, signed now.
func (s *stamp) next(now time.Time) (*http.Request, error) {
	payload, event, err := s.press.Next(now)
	if err != nil {
		return nil, err
	}
	blank := s.blanks[event]
	request := *blank
	timestamp := sign.FormatTimestamp(now)
	request.Header = maps.Clone(blank.Header)
	values := make([]string, 2)
	if s.dates {
		values[0] = timestamp
		request.Header[delivery.TimestampHeader] = values[:1:1]
	}
	if s.signs {
		signer, _ := s.signers.Get().(*sign.Signer)
		values[1] = signer.Sign(timestamp, payload)
		request.Header[delivery.SignatureHeader] = values[1:]
		s.signers.Put(signer)
	}
	request.ContentLength = int64(len(payload))
	// net/http sends headers and body in one packet when it sees that this is in memory.
	request.Body = io.NopCloser(bytes.NewReader(payload))
	request.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(payload)), nil }
	return &request, nil
}
