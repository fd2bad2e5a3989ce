package capture

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/leapfinancial/m2m/internal/delivery"
)

// maxChunkLine is the longest line of the chunked coding's own, in bytes.
const maxChunkLine = 4 << 10

// isChunked says whether the last transfer coding is chunked, the only place where
// RFC 9112, section 6.1, allows it.
func isChunked(headers delivery.Headers) bool {
	value, _ := headers.Get("Transfer-Encoding")
	return strings.EqualFold(strings.Trim(value[strings.LastIndexByte(value, ',')+1:], " \t"), "chunked")
}

// readChunks reads a body in the chunked coding. Browsers keep that header with a
// body that is decoded already: where the coding is not well-formed, whole is false
// and body holds the bytes as they were read so far.
func (s *httpSource) readChunks() (body []byte, whole bool, err error) {
	var raw, decoded []byte
	for {
		line, err := s.readChunkLine()
		if err != nil {
			return nil, false, err
		}
		raw = append(raw, line...)
		size, ok := chunkSize(line)
		if !ok || size > delivery.MaxLine-len(raw) {
			return raw, false, nil
		}
		if size == 0 {
			break
		}
		data, err := s.in.readUpTo(size)
		if err != nil {
			return nil, false, err
		}
		raw, decoded = append(raw, data...), append(decoded, data...)
		if line, err = s.readChunkLine(); err != nil {
			return nil, false, err
		}
		if raw = append(raw, line...); len(line) == 0 || len(trimEnd(line)) != 0 {
			return raw, false, nil
		}
	}
	for {
		// A last blank line that an editor took off is not missed.
		line, err := s.readChunkLine()
		if err != nil {
			return nil, false, err
		}
		if raw = append(raw, line...); len(trimEnd(line)) == 0 {
			break
		}
		if !isHeader(trimEnd(line)) || len(raw) > delivery.MaxLine {
			return raw, false, nil
		}
	}
	ahead, err := peek(s.in.Reader, headSize, func([]byte) bool { return false })
	if err != nil {
		return nil, false, err
	}
	if len(bytes.Trim(ahead, "\r\n")) == 0 || beginsRequest(ahead) {
		return decoded, true, nil
	}
	return raw, false, nil
}

// readChunkLine returns the next line with its line end, nothing at the end of the
// input, and a piece of a line that is too long to be one of the coding's own.
func (s *httpSource) readChunkLine() ([]byte, error) {
	ahead, err := peek(s.in.Reader, maxChunkLine, func(head []byte) bool { return bytes.IndexByte(head, '\n') >= 0 })
	if err != nil {
		return nil, err
	}
	length := bytes.IndexByte(ahead, '\n') + 1
	if length == 0 {
		length = len(ahead)
	}
	return s.in.readUpTo(length)
}

// chunkSize reads the line before a chunk, whose extensions mean nothing to us.
func chunkSize(line []byte) (int, bool) {
	text, _, _ := strings.Cut(string(trimEnd(line)), ";")
	size, err := strconv.ParseUint(strings.TrimRight(text, " \t"), 16, 32)
	return int(size), err == nil
}

func isHeader(line []byte) bool {
	_, fault := parseHeader(string(line))
	return fault == nil
}
