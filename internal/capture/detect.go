package capture

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

const (
	// headSize is how much of a capture its form is told from, in bytes.
	headSize = 4 << 10
	// bom is the byte order mark of UTF-8, which some editors write.
	bom = "\xef\xbb\xbf"
)

// Detect tells the form of a capture from its first bytes, of which 4 KiB are
// enough. A leading byte order mark and blank lines are passed over. It answers HTTP
// for a response, too, so that the reader of requests can say what is wrong with it.
// What has none of the forms is an error that names them and wraps a *SyntaxError.
func Detect(head []byte) (Format, error) {
	// Windows PowerShell writes this with >.
	if bytes.HasPrefix(head, []byte("\xff\xfe")) || bytes.HasPrefix(head, []byte("\xfe\xff")) {
		return "", errors.New("not a capture: it is text in UTF-16; save it as UTF-8")
	}
	if bytes.HasPrefix(head, []byte("\x1f\x8b")) {
		return "", errors.New("not a capture: it is compressed with gzip; decompress it first, gunzip -c FILE | m2m … -")
	}
	head = bytes.TrimPrefix(head, []byte(bom))
	text := trimBlank(head)
	skipped := head[:len(head)-len(text)]
	lineStart := bytes.LastIndexByte(skipped, '\n') + 1
	line, _, _ := bytes.Cut(head[lineStart:], []byte("\n"))
	switch {
	case len(text) == 0:
		return "", errNothing(head)
	case text[0] == '{':
		return NDJSON, nil
	case beginsCurl(text):
		return Curl, nil
	case isRequestLine(line), isStatusLine(line):
		return HTTP, nil
	}
	return "", fmt.Errorf("not a capture: %w", &SyntaxError{
		Line:   1 + bytes.Count(skipped, []byte("\n")),
		Column: len(skipped) - lineStart + 1,
		// No more than a character of it: the file may be one with a secret.
		Msg: fmt.Sprintf("%q begins neither a delivery record in JSON nor a raw HTTP request"+
			" (POST /path HTTP/1.1) nor a curl command", text[:runeLen(text)]),
	})
}

// tellsForm says whether Detect would learn nothing from more bytes.
func tellsForm(head []byte) bool {
	text := trimBlank(bytes.TrimPrefix(head, []byte(bom)))
	return len(text) > 0 && (text[0] == '{' || bytes.IndexByte(text, '\n') >= 0)
}

// beginsCurl looks for the word curl, after the prompt that is copied with it.
func beginsCurl(text []byte) bool {
	if rest, ok := bytes.CutPrefix(text, []byte("$")); ok {
		if text = bytes.TrimLeft(rest, " \t"); len(text) == len(rest) {
			return false
		}
	}
	for _, name := range [...]string{"curl.exe", "curl"} {
		rest, ok := bytes.CutPrefix(text, []byte(name))
		if ok && len(rest) > 0 && strings.IndexByte(" \t\r\n", rest[0]) >= 0 {
			return true
		}
	}
	return false
}

// trimBlank takes the leading white space off.
func trimBlank(text []byte) []byte { return bytes.TrimLeft(text, " \t\r\n") }

func runeLen(text []byte) int {
	_, size := utf8.DecodeRune(text)
	return size
}

func errNothing(head []byte) error {
	if len(head) == 0 {
		return errors.New("not a capture: it is empty")
	}
	return errors.New("not a capture: it begins with nothing but white space")
}
