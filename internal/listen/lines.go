package listen

import (
	"sync"

	"github.com/leapfinancial/m2m/internal/delivery"
)

// lines makes the lines of records in the memory of earlier ones. The zero value is
// ready.
type lines struct{ pool sync.Pool }

// of returns a record's line, or nil with an error.
func (l *lines) of(record delivery.Record) (line []byte, err error) {
	used, ok := l.pool.Get().(*[]byte)
	if !ok {
		return record.Line()
	}
	if line, err = record.AppendLine((*used)[:0]); err != nil {
		return nil, err
	}
	return line, nil
}

// free gives a line's memory back, after which nobody may look at it any more.
func (l *lines) free(line []byte) {
	// Deliveries are small, and what a large one has taken must not stay.
	const most = 16 << 10
	if line != nil && cap(line) <= most {
		l.pool.Put(&line)
	}
}
