package listen

import (
	"bytes"
	"io"
	"net/http"
)

const (
	// smallBody is the longest body, in bytes, that any number of senders may have in
	// memory at once. M2M's own are a tenth of it.
	smallBody = 16 << 10
	// largeMemory is about what all larger bodies may take in memory, in bytes. With
	// them come their records, which are as long again.
	largeMemory = 4 << 20
)

// largePlaces returns how many large bodies may be in memory at once.
func largePlaces(maxBody int64) int64 {
	return min(max(largeMemory/max(maxBody, 1), 1), largeMemory/smallBody)
}

// readBody reads a body, the beginning at once and the rest of a large one when there
// is a place for it: so a flood of large bodies has to wait, and no small delivery
// waits with them. The place is given back with release, which is never nil.
//
// The error is a *http.MaxBytesError for a body over the limit, of which nothing is
// read if it says so itself.
func (s *Server) readBody(w http.ResponseWriter, r *http.Request) (body []byte, release func(), err error) {
	release = func() {}
	if r.ContentLength > s.options.MaxBody {
		return nil, release, &http.MaxBytesError{Limit: s.options.MaxBody}
	}
	if r.ContentLength >= 0 && r.ContentLength <= smallBody {
		body = make([]byte, r.ContentLength)
		_, err = io.ReadFull(r.Body, body)
		return body, release, err
	}
	reader := http.MaxBytesReader(w, r.Body, s.options.MaxBody)
	body, err = io.ReadAll(io.LimitReader(reader, smallBody+1))
	if err != nil || len(body) <= smallBody {
		return body, release, err
	}
	select {
	case s.large <- struct{}{}:
		release = func() { <-s.large }
	case <-r.Context().Done():
		return nil, release, r.Context().Err()
	case <-s.arriving.ended:
		return nil, release, http.ErrServerClosed
	}
	buf := bytes.NewBuffer(make([]byte, 0, max(r.ContentLength, 0)+bytes.MinRead))
	buf.Write(body)
	_, err = buf.ReadFrom(reader)
	return buf.Bytes(), release, err
}
