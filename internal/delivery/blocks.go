package delivery

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

// MaxLine is the longest line that is taken, its newline included, in bytes. A
// longer one is reported and skipped without ever being held in memory.
const MaxLine = 32 << 20

const (
	// blockSize is large enough that its handling costs nothing beside the lines in
	// it, and small enough that several stay in a core's cache.
	blockSize = 256 << 10
	// freeBlocks is how many blocks wait to be used again: a few for every core.
	freeBlocks = 32
)

// Block is some whole lines of a stream. Its memory belongs to whoever has it.
type Block struct {
	// Text holds the lines that NextLine has not returned yet.
	Text []byte
	// Line is the number of the first of them, counted from 1.
	Line int
	// Torn says that the block is the stream's last line, alone and without a
	// newline.
	Torn bool
	// memory is what Text lies in.
	memory []byte
}

// NextLine takes the first line off Text and returns it without its newline, and
// its number. Where there is none left, ok is false.
func (b *Block) NextLine() (text []byte, line int, ok bool) {
	if len(b.Text) == 0 {
		return nil, b.Line, false
	}
	text, b.Text, _ = bytes.Cut(b.Text, []byte("\n"))
	b.Line++
	return text, b.Line - 1, true
}

// Blocks reads a stream as blocks of whole lines, so that many lines can be handed
// on at once, and in constant memory. Only Recycle is safe for concurrent use.
type Blocks struct {
	in   io.Reader
	err  error // of in, told after everything that came before it
	free chan *Block
	// unread is what was read and not returned: in the end the beginning of a line.
	unread *Block
	// searched is how much of it has no newline.
	searched int
}

// NewBlocks returns the blocks of in. A byte order mark at its beginning is passed
// over.
func NewBlocks(in io.Reader) *Blocks {
	b := &Blocks{in: in, free: make(chan *Block, freeBlocks)}
	b.unread = b.newBlock(1)
	return b
}

// Next returns the next block, as soon as there is a line of it: a writer that is
// still at it is followed. In the place of a line longer than MaxLine stands a
// *LineError, after which reading can go on. The end is io.EOF, and any other error
// is the reader's.
func (b *Blocks) Next() (*Block, error) {
	for {
		if block := b.cut(); block != nil {
			return block, nil
		}
		switch {
		case len(b.unread.Text) > MaxLine:
			return nil, b.skipLine()
		case b.err == nil:
			b.fill()
		case errors.Is(b.err, io.EOF) && len(b.unread.Text) > 0:
			block := b.unread
			b.unread, b.searched = b.newBlock(block.Line+1), 0
			block.Torn = true
			return trimmed(block), nil
		default:
			return nil, b.err
		}
	}
}

// Recycle takes a block back that nobody needs any more, nor the lines in it.
func (b *Blocks) Recycle(block *Block) {
	if cap(block.memory) != blockSize {
		return // a long line's, which must not be kept
	}
	select {
	case b.free <- block:
	default:
	}
}

// cut returns the whole lines of what was read, or nil when there is none or the
// first is too long.
func (b *Blocks) cut() *Block {
	block := b.unread
	fresh := block.Text[b.searched:]
	end := b.searched + bytes.LastIndexByte(fresh, '\n') + 1
	if end == b.searched {
		b.searched = len(block.Text)
		return nil
	}
	if end > MaxLine && b.searched+bytes.IndexByte(fresh, '\n') >= MaxLine {
		return nil
	}
	lines := bytes.Count(block.Text[:end], []byte("\n"))
	b.unread, b.searched = b.newBlock(block.Line+lines), 0
	b.unread.Text = append(b.unread.Text, block.Text[end:]...)
	block.Text = block.Text[:end]
	return trimmed(block)
}

// trimmed takes the byte order mark off a stream's first block.
func trimmed(block *Block) *Block {
	if block.Line == 1 {
		block.Text = bytes.TrimPrefix(block.Text, []byte("\xef\xbb\xbf"))
	}
	return block
}

// skipLine drops the first line, of which the beginning was read, and returns the
// error that stands for it.
func (b *Blocks) skipLine() error {
	for {
		text := b.unread.Text
		if newline := bytes.IndexByte(text, '\n'); newline >= 0 {
			b.unread.Text = text[:copy(text, text[newline+1:])]
			break
		}
		b.unread.Text = text[:0]
		if b.err != nil {
			break
		}
		b.fill()
	}
	b.searched = 0
	b.unread.Line++
	return &LineError{Line: b.unread.Line - 1, Err: fmt.Errorf("longer than %d MiB", MaxLine>>20)}
}

// fill reads once, and makes room for that first.
func (b *Blocks) fill() {
	text := b.unread.Text
	if len(text) == cap(text) {
		text = make([]byte, len(text), min(2*len(text), MaxLine+blockSize))
		copy(text, b.unread.Text)
		b.unread.memory = text
	}
	for range 100 {
		n, err := b.in.Read(text[len(text):min(cap(text), len(text)+blockSize)])
		b.unread.Text, b.err = text[:len(text)+n], err
		if n > 0 || err != nil {
			return
		}
	}
	b.err = io.ErrNoProgress
}

func (b *Blocks) newBlock(line int) *Block {
	select {
	case block := <-b.free:
		*block = Block{Text: block.memory[:0], Line: line, memory: block.memory[:0]}
		return block
	default:
		memory := make([]byte, 0, blockSize)
		return &Block{Text: memory, Line: line, memory: memory}
	}
}
