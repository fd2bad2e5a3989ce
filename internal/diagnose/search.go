package diagnose

import (
	"crypto/hmac"
	"fmt"
	"slices"
	"strings"
)

const (
	// maxWeight is how many things may have gone wrong together.
	maxWeight = 3
	// maxCombinations and maxBytes bound a search, in number and in bytes hashed.
	maxCombinations = 3000
	maxBytes        = 640 << 20
	// spellingCost is what it costs to write a byte of JSON, in bytes hashed.
	spellingCost = 4
	// shortest is the cost of the shortest MAC, in bytes hashed.
	shortest = 256
)

// budget is what is left to a search.
type budget struct {
	combinations, bytes int
}

func (b *budget) spend(bytes int) bool {
	b.combinations--
	b.bytes -= bytes
	return b.combinations >= 0 && b.bytes >= 0
}

// search tries the combinations of its axes in the order of their weight: what goes
// wrong alone before what goes wrong together.
type search struct {
	bodies []bodyVariant
	// spellings makes the rest of the bodies, once they are needed; nil when there are
	// none, or they are among the bodies.
	spellings func() []bodyVariant
	secrets   []secretVariant
	contents  []contentVariant
	methods   []methodVariant
	received  []receivedMAC
	budget    budget
	tried     int
	// macs holds a MAC function for each method and secret, once it was needed.
	macs [][]func(prefix string, body []byte) []byte
	buf  []byte
}

// run returns what is wrong in the first combination that gives the received MAC.
func (s *search) run(effort Effort) ([]Finding, bool) {
	s.macs = make([][]func(string, []byte) []byte, len(s.methods))
	for i := range s.macs {
		s.macs[i] = make([]func(string, []byte) []byte, len(s.secrets))
	}
	limit := maxWeight
	if effort < Thorough {
		limit = 1
	}
	for total := 0; total <= limit; total++ {
		if findings, ok := s.all(s.bodies, total); ok {
			return findings, true
		}
		if total > 0 && s.spellings != nil {
			spellings := s.spellings()
			s.spellings = nil
			s.bodies = append(s.bodies, spellings...)
			if findings, ok := s.all(spellings, total); ok {
				return findings, true
			}
		}
	}
	return nil, false
}

// all tries bodies with all that makes the given weight together with each.
func (s *search) all(bodies []bodyVariant, total int) ([]Finding, bool) {
	for _, body := range bodies {
		if body.weight > total {
			continue
		}
		if findings, ok := s.body(body, total-body.weight); ok {
			return findings, true
		}
		if s.budget.combinations <= 0 || s.budget.bytes <= 0 {
			break
		}
	}
	return nil, false
}

// body tries a body with all that has exactly the given weight.
func (s *search) body(body bodyVariant, weight int) ([]Finding, bool) {
	var text []byte
	for i, secret := range s.secrets {
		for _, content := range s.contents {
			for j, method := range s.methods {
				if secret.weight+content.weight+method.weight != weight || !s.has(method.size) || method.keyless && i > 0 {
					continue
				}
				if text == nil {
					if s.budget.bytes -= body.cost; s.budget.bytes < 0 {
						return nil, false
					}
					if text = body.bytes(s.buf); text == nil {
						return nil, false
					}
					if body.cost > 0 {
						s.buf = text
					}
				}
				if !s.budget.spend(len(text) + shortest) {
					return nil, false
				}
				s.tried++
				if encoding, ok := s.matches(j, i, content.prefix, text); ok {
					return slices.Concat(body.findings(), secret.findings, content.findings, method.findings, encoding), true
				}
			}
		}
	}
	return nil, false
}

func (s *search) has(size int) bool {
	return slices.ContainsFunc(s.received, func(r receivedMAC) bool { return len(r.mac) == size })
}

func (s *search) matches(method, secret int, prefix string, body []byte) ([]Finding, bool) {
	if s.macs[method][secret] == nil {
		s.macs[method][secret] = s.methods[method].start(s.secrets[secret].bytes)
	}
	mac := s.macs[method][secret](prefix, body)
	for _, received := range s.received {
		if hmac.Equal(mac, received.mac) {
			return received.findings, true
		}
	}
	return nil, false
}

// unknown says what was tried in vain.
func (d *Diagnoser) unknown(tried int, effort Effort) Finding {
	var prints []string
	for _, key := range d.keys {
		prints = append(prints, key.Fingerprint())
	}
	also := "what goes wrong together"
	switch effort {
	case Glance:
		also = "only what goes wrong alone, and no other spelling of JSON"
	case Quick:
		also = "only what goes wrong alone"
	case Thorough:
	}
	for _, other := range d.others {
		also += ", " + other.Name
	}
	return Finding{
		Unknown,
		fmt.Sprintf("nothing tried matches: the signer's secret is another one than %s, or bytes were changed (tried: %d combinations of body, secret, timestamp and algorithm, %s)",
			strings.Join(prints, ", "), tried, also),
		`compare fingerprints with the signer, printf %s "$SECRET" | sha256sum, and capture the raw bytes of the body`,
	}
}

// lengths says that a capture names another length than its body has.
func lengths(delivery Delivery) string {
	if delivery.ContentLength < 0 || delivery.ContentLength == len(delivery.Body) {
		return ""
	}
	return fmt.Sprintf("; Content-Length says %d, and the body has %d bytes", delivery.ContentLength, len(delivery.Body))
}
