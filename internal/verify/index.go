package verify

import (
	"crypto/sha256"
	"encoding/binary"

	"github.com/leapfinancial/m2m/internal/diagnose"
	"github.com/leapfinancial/m2m/internal/sign"
)

// reach is how many deliveries before and after one with a foreign signature are
// looked at to see whether it is theirs. It bounds the memory of a batch.
const reach = 8192

// signed is the MAC of a delivery, and where that stands.
type signed struct {
	mac  [sha256.Size]byte
	name string
	line int
}

// index finds the last deliveries that were judged by their MACs. Every delivery goes
// in, and few are looked for: what it does is cheap, and it never grows.
type index struct {
	// ring holds the last reach deliveries, by their number modulo its length; count
	// is the number of the next.
	ring  []entry
	count int
	// heads holds the number of the last delivery with each beginning of a MAC,
	// counted from 1; 0 is none.
	heads []int
}

type entry struct {
	signed
	// before is the number of the delivery before it with the same beginning.
	before int
}

func newIndex() *index {
	return &index{ring: make([]entry, reach), heads: make([]int, reach), count: 1}
}

func (x *index) add(s signed) {
	head := x.head(s.mac)
	x.ring[x.count%reach] = entry{s, *head}
	*head = x.count
	x.count++
}

// find returns the delivery with that MAC.
func (x *index) find(mac [sha256.Size]byte) (signed, bool) {
	for number := *x.head(mac); number > 0 && number >= x.count-reach; {
		e := x.ring[number%reach]
		if e.mac == mac {
			return e.signed, true
		}
		number = e.before
	}
	return signed{}, false
}

func (x *index) head(mac [sha256.Size]byte) *int {
	return &x.heads[int(binary.LittleEndian.Uint32(mac[:]))%reach]
}

func (s signed) source() string {
	if s.line == 0 {
		return s.name
	}
	return sourceOf(s.name, s.line)
}

// otherDelivery is the cause of a signature that belongs to another delivery.
func otherDelivery(source string) []diagnose.Finding {
	return []diagnose.Finding{{
		Cause:   diagnose.OtherDelivery,
		Message: "the signature is that of another delivery, " + source,
		Fix:     "keep each body with its own headers; if they came so, somebody used an old signature for a new body",
	}}
}

// macOf returns the MAC that a well-formed signature spells.
func macOf(signature string) (mac [sha256.Size]byte, ok bool) {
	parsed, ok := sign.ParseSignature(signature)
	copy(mac[:], parsed)
	return mac, ok
}
