package delivery

import (
	"bytes"

	"github.com/tidwall/gjson"
)

// The methods here pass JSON of any form (RFC 8259), as it stands in a body, where the
// other ones pass what this tool has written.

// next passes white space and returns what follows, which is not passed: 0 at the end.
func (p *passer) next() byte {
	for ; p.at < len(p.text); p.at++ {
		switch c := p.text[p.at]; c {
		case ' ', '\n', '\r', '\t':
		default:
			return c
		}
	}
	return 0
}

// delimiter passes white space and a byte, and says whether that was there.
func (p *passer) delimiter(want byte) bool {
	if p.next() != want {
		return false
	}
	p.at++
	return true
}

// object passes an object. Each member's value is passed by value, which is given the
// name.
func (p *passer) object(value func(name []byte)) {
	if !p.delimiter('{') {
		p.fail()
	}
	if p.delimiter('}') {
		return
	}
	for more := true; more; more = p.delimiter(',') {
		name := p.string()
		if !p.delimiter(':') {
			p.fail()
		}
		value(name)
	}
	if !p.delimiter('}') {
		p.fail()
	}
}

// string passes a string with its quotes, and returns what it stands for.
func (p *passer) string() []byte {
	if !p.delimiter('"') {
		p.fail()
	}
	start := p.at
	raw, _ := p.quoted(anyEscapes)
	if bytes.IndexByte(raw, '\\') < 0 {
		return raw
	}
	return []byte(gjson.ParseBytes(p.text[start-1 : p.at]).Str)
}

// value passes any value.
func (p *passer) value() {
	switch p.next() {
	case '{':
		p.object(func([]byte) { p.value() })
	case '[':
		p.list()
	case '"':
		p.at++
		p.quoted(anyEscapes)
	case 't':
		p.must(`true`)
	case 'f':
		p.must(`false`)
	case 'n':
		p.must(`null`)
	default:
		p.anyNumber()
	}
}

func (p *passer) list() {
	p.at++
	if p.delimiter(']') {
		return
	}
	for more := true; more; more = p.delimiter(',') {
		p.value()
	}
	if !p.delimiter(']') {
		p.fail()
	}
}

// anyNumber passes a number.
func (p *passer) anyNumber() {
	p.has(`-`)
	if p.digits() == 0 || p.has(`.`) && p.fraction() == 0 {
		p.fail()
	}
	if p.has(`e`) || p.has(`E`) {
		if !p.has(`+`) {
			p.has(`-`)
		}
		if p.fraction() == 0 {
			p.fail()
		}
	}
}
