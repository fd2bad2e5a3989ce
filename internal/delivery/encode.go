package delivery

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"time"
)

// Line returns the record as one line of JSON with a newline at its end. Bodies
// that are valid UTF-8 are written as text, others as base64; either way the
// same bytes come back from Parse.
//
// The wire structs would say the same in fewer words, but a receiver writes a line
// for every delivery before it answers, and encoding/json takes several times as
// long.
func (r Record) Line() ([]byte, error) { return r.AppendLine(make([]byte, 0, r.lineSize())) }

// AppendLine is Line for who uses a buffer again: it appends the line to dst. With an
// error, dst is returned as it was.
func (r Record) AppendLine(dst []byte) ([]byte, error) {
	e := encoder{line: dst}
	e.record(r)
	if e.err != nil {
		return dst, fmt.Errorf("encoding a delivery record: %w", e.err)
	}
	line := e.line[len(dst):]
	if safe := Inert(line); len(safe) != len(line) {
		e.line = append(e.line[:len(dst)], safe...)
	}
	return append(e.line, '\n'), nil
}

// lineSize is about as long as the line will be, in bytes.
func (r Record) lineSize() int {
	size := 1024 + len(r.Request.Body)*9/8
	for _, header := range r.Request.Headers {
		size += len(`{"name":"","value":""},`) + len(header.Name) + len(header.Value)
	}
	if r.Response != nil {
		size += len(r.Response.Body) * 9 / 8
	}
	return size
}

// encoder writes JSON as encoding/json does, with <, > and & left as they are and
// what IsHidden names escaped. What Inert names is left to the end.
type encoder struct {
	line []byte
	err  error
}

func (e *encoder) record(r Record) {
	e.raw(`{"type":"` + Type + `"`)
	e.optional(`,"id":`, r.ID)
	e.time(`,"time":"`, r.Time, true)
	e.optional(`,"event":`, r.Event)
	e.raw(`,"request":{`)
	e.request(r.Request)
	e.raw(`}`)
	if r.Verification != nil {
		e.raw(`,"verification":{"valid":`)
		e.verification(*r.Verification)
		e.raw(`}`)
	}
	if r.Response != nil {
		e.raw(`,"response":{`)
		e.response(*r.Response)
		e.raw(`}`)
	}
	if r.Error != nil {
		e.raw(`,"error":{"kind":`)
		e.text(r.Error.Kind)
		e.raw(`,"message":`)
		e.text(r.Error.Message)
		e.raw(`}`)
	}
	if r.Attempt != 0 {
		e.raw(`,"attempt":`)
		e.line = strconv.AppendInt(e.line, int64(r.Attempt), 10)
	}
	if ms := Round(float64(r.Latency)/float64(time.Millisecond), 3); ms > 0 {
		e.raw(`,"latencyMs":`)
		e.number(ms)
	}
	e.raw(`}`)
}

func (e *encoder) request(r Request) {
	e.first(`"method":`, r.Method)
	e.first(`"url":`, r.URL)
	e.first(`"remote":`, r.Remote)
	e.headers(r.Headers)
	e.body(r.Body)
}

func (e *encoder) response(r Response) {
	if r.Status != 0 {
		e.raw(`"status":`)
		e.line = append(strconv.AppendInt(e.line, int64(r.Status), 10), ',')
	}
	e.headers(r.Headers)
	e.body(r.Body)
	if r.Truncated {
		e.raw(`,"bodyTruncated":true`)
	}
}

// headers spells M2M's headers as documented.
func (e *encoder) headers(headers Headers) {
	e.raw(`"headers":[`)
	for i, header := range headers {
		e.separate(i)
		e.raw(`{"name":`)
		e.text(Canonical(header.Name))
		e.raw(`,"value":`)
		e.text(header.Value)
		e.raw(`}`)
	}
	e.raw(`]`)
}

func (e *encoder) body(body []byte) {
	start := len(e.line)
	e.raw(`,"body":`)
	valid := false
	if e.line, valid = appendString(e.line, body); valid {
		return
	}
	e.line = append(e.line[:start], `,"bodyBase64":"`...)
	e.line = append(base64.StdEncoding.AppendEncode(e.line, body), '"')
}

func (e *encoder) verification(v Verification) {
	e.line = strconv.AppendBool(e.line, v.Valid)
	e.optional(`,"reason":`, v.Reason)
	e.time(`,"signedAt":"`, v.SignedAt, false)
	if v.AgeSeconds != nil {
		e.raw(`,"ageSeconds":`)
		e.number(*v.AgeSeconds)
	}
	e.optional(`,"secret":`, v.Secret)
	if v.Diagnosis == nil {
		return
	}
	e.raw(`,"diagnosis":{"cause":`)
	e.text(v.Diagnosis.Cause)
	if len(v.Diagnosis.Causes) > 0 {
		e.raw(`,"causes":[`)
		for i, cause := range v.Diagnosis.Causes {
			e.separate(i)
			e.text(cause)
		}
		e.raw(`]`)
	}
	e.raw(`,"message":`)
	e.text(v.Diagnosis.Message)
	e.raw(`,"fix":`)
	e.text(v.Diagnosis.Fix)
	e.raw(`}`)
}

func (e *encoder) raw(text string) { e.line = append(e.line, text...) }

func (e *encoder) text(text string) { e.line, _ = appendString(e.line, []byte(text)) }

// separate sets a comma before every element but the first.
func (e *encoder) separate(index int) {
	if index > 0 {
		e.raw(`,`)
	}
}

// optional leaves a member out that is empty.
func (e *encoder) optional(name, text string) {
	if text != "" {
		e.raw(name)
		e.text(text)
	}
}

// first is optional for a member that another one always follows.
func (e *encoder) first(name, text string) {
	if text != "" {
		e.raw(name)
		e.text(text)
		e.raw(`,`)
	}
}

// time leaves out what RFC 3339 cannot write, and Parse could not read. The time package
// is fast with whole seconds alone.
func (e *encoder) time(name string, t time.Time, milliseconds bool) {
	t = t.UTC()
	if t.IsZero() || t.Year() < 0 || t.Year() > 9999 {
		return
	}
	e.raw(name)
	e.line = t.AppendFormat(e.line, time.RFC3339)
	if milliseconds {
		ms := 1000 + t.Nanosecond()/int(time.Millisecond) // with all its zeros
		e.line = strconv.AppendInt(e.line[:len(e.line)-len("Z")], int64(ms), 10)
		e.line[len(e.line)-len("1000")] = '.'
		e.raw(`Z`)
	}
	e.raw(`"`)
}

// number writes a float as encoding/json does, which follows ECMAScript.
func (e *encoder) number(x float64) {
	if abs := math.Abs(x); abs < 1e-6 && x != 0 || abs >= 1e21 || math.IsNaN(x) {
		text, err := json.Marshal(x)
		if err != nil {
			e.err = err
		}
		e.line = append(e.line, text...)
		return
	}
	e.line = strconv.AppendFloat(e.line, x, 'f', -1, 64)
}
