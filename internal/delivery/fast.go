package delivery

import (
	"encoding/base64"
	"strings"
)

// Scanned is what a delivery's signature is judged by, and its event header. The
// header texts are what Headers.Get returns for them, and count only when the other
// member says that the header was there.
type Scanned struct {
	Signature, Timestamp, Event          []byte
	HasSignature, HasTimestamp, HasEvent bool
	// Body holds the bytes as they were on the wire.
	Body []byte
}

// Scanner reads of delivery records what their signature is judged by, much faster
// than Parse and without memory of its own for each. It accepts and refuses what
// Parse does: a line in exactly the form that Record.Line writes is read, and checked
// in whole, by it alone, and every other line by Parse.
//
// The zero Scanner is ready. It is not safe for concurrent use.
type Scanner struct {
	scanned Scanned
	// body and answer are where bodies are decoded, of the request and of the
	// response.
	body, answer []byte
}

// Scan reads one line. What it returns is valid until the next call and as long as
// the line is. The errors are Parse's. Who wants the whole record calls Parse.
func (s *Scanner) Scan(line []byte) (*Scanned, error) {
	if s.fast(line) {
		return &s.scanned, nil
	}
	record, err := Parse(line)
	if err != nil {
		return nil, err
	}
	headers := record.Request.Headers
	get := func(name string) ([]byte, bool) {
		value, ok := headers.Get(name)
		return []byte(value), ok
	}
	s.scanned = Scanned{Body: record.Request.Body}
	s.scanned.Signature, s.scanned.HasSignature = get(SignatureHeader)
	s.scanned.Timestamp, s.scanned.HasTimestamp = get(TimestampHeader)
	s.scanned.Event, s.scanned.HasEvent = get(EventHeader)
	return &s.scanned, nil
}

// fast reads a line of the form that Record.Line writes, its members in the order
// of the wire structs. False means that the line is to be read by Parse; it says
// nothing about the line.
func (s *Scanner) fast(line []byte) bool {
	s.scanned = Scanned{}
	p := passer{text: line}
	p.must(`{"type":"` + Type + `"`)
	if p.has(`,"id":"`) {
		p.str()
	}
	if p.has(`,"time":"`) {
		p.time()
	}
	if p.has(`,"event":"`) {
		p.str()
	}
	p.must(`,"request":{`)
	s.scanned.Body, s.body = p.message(s.body, &s.scanned)
	if p.has(`,"verification":{"valid":`) {
		p.verification()
	}
	if p.has(`,"response":{`) {
		_, s.answer = p.message(s.answer, nil)
	}
	if p.has(`,"error":{"kind":"`) {
		p.str()
		p.must(`,"message":"`)
		p.str()
		p.must(`}`)
	}
	if p.has(`,"attempt":`) {
		p.integer()
	}
	if p.has(`,"latencyMs":`) {
		p.number()
	}
	p.must(`}`)
	return !p.failed && p.at == len(line)
}

// message passes a request or a response, whose opening brace is behind. It returns
// the body, which it decodes into buf or into the larger one that it returns. The
// headers go into headers, where that is given.
func (p *passer) message(buf []byte, headers *Scanned) (body, larger []byte) {
	if p.has(`"method":"`) {
		p.str()
		p.must(`,`)
	}
	if p.has(`"url":"`) {
		p.str()
		p.must(`,`)
	}
	if p.has(`"remote":"`) {
		p.str()
		p.must(`,`)
	}
	if p.has(`"status":`) {
		p.integer()
		p.must(`,`)
	}
	p.must(`"headers":[`)
	for more := !p.has(`]`); more; more = p.has(`,`) {
		p.must(`{"name":"`)
		name := p.plain()
		p.must(`,"value":"`)
		p.header(name, headers)
		if p.must(`}`); p.has(`]`) {
			break
		}
	}
	switch {
	case p.has(`,"body":"`):
		body, buf = p.unescaped(buf)
	case p.has(`,"bodyBase64":"`):
		encoded := p.plain()
		buf = grown(buf, base64.StdEncoding.DecodedLen(len(encoded)))
		n, err := base64.StdEncoding.Decode(buf, encoded)
		if err != nil {
			p.fail()
		}
		body = buf[:n]
	default:
		p.fail()
	}
	p.has(`,"bodyTruncated":true`)
	p.must(`}`)
	return body, buf
}

// header passes a header's value, whose opening quote is behind, and keeps it in
// headers when the name is one of the three. One that stands there twice is left to
// Parse.
func (p *passer) header(name []byte, headers *Scanned) {
	var value *[]byte
	var has *bool
	switch {
	case headers == nil:
	case is(name, SignatureHeader):
		value, has = &headers.Signature, &headers.HasSignature
	case is(name, TimestampHeader):
		value, has = &headers.Timestamp, &headers.HasTimestamp
	case is(name, EventHeader):
		value, has = &headers.Event, &headers.HasEvent
	}
	if value == nil {
		p.str()
		return
	}
	if *has {
		p.fail()
	}
	*value, *has = p.plain(), true
}

// is compares names of headers in ASCII, in any case.
func is(name []byte, documented string) bool {
	return string(name) == documented ||
		len(name) == len(documented) && strings.EqualFold(string(name), documented)
}

func (p *passer) verification() {
	if !p.has(`true`) {
		p.must(`false`)
	}
	if p.has(`,"reason":"`) {
		p.str()
	}
	if p.has(`,"signedAt":"`) {
		p.time()
	}
	if p.has(`,"ageSeconds":`) {
		p.number()
	}
	if p.has(`,"secret":"`) {
		p.str()
	}
	if p.has(`,"diagnosis":{"cause":"`) {
		p.diagnosis()
	}
	p.must(`}`)
}

func (p *passer) diagnosis() {
	p.str()
	if p.has(`,"causes":["`) {
		p.str()
		for p.has(`,"`) {
			p.str()
		}
		p.must(`]`)
	}
	p.must(`,"message":"`)
	p.str()
	p.must(`,"fix":"`)
	p.str()
	p.must(`}`)
}

// grown returns buf with that length, or a larger one. What a very long line needed
// is given back with the next of the usual size.
func grown(buf []byte, size int) []byte {
	const keep = 1 << 20
	if cap(buf) < size || cap(buf) > keep && size < keep/2 {
		return make([]byte, size, size+size/4)
	}
	return buf[:size]
}
