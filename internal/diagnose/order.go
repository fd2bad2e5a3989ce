package diagnose

import (
	"bytes"
	"cmp"
	"hash/maphash"
	"math"
	"slices"
	"strconv"
)

// order is the order in which a writer writes the members of an object. All but the
// first read the object into a map before: of members with one name the last one
// stays, in the first one's place.
type order uint8

const (
	orderGiven      order = iota
	orderRead             // as read
	orderES               // JavaScript: keys that look like array indexes first, ascending
	orderSorted           // by code point
	orderUTF16            // sorted by UTF-16 code unit: Java, JavaScript's sort
	orderSortedES         // sorted, then read into a JavaScript object
	orderPHPArray         // as read, into PHP's arrays: {} and {"0":…,"1":…} become lists
	orderDocumented       // as in the event's documented sample, and what is not in it at the end
	orderCount
)

// keyFacts say which orders differ for the document.
type keyFacts struct {
	decoded   map[int32][]byte // of the keys with escapes
	unsorted  bool             // some object's keys do not ascend by code point
	repeated  bool             // some object may have a key twice
	indexes   bool             // some key looks like an array index
	highPlane bool             // some key may sort otherwise by UTF-16
	displaced bool             // some key does not stand where the sample has it
}

// key returns the characters of the key at a node.
func (d *document) key(at int32) []byte {
	n := d.nodes[at]
	if n.class&classEscape != 0 {
		return d.keys.decoded[at]
	}
	return d.body[n.start+1 : n.end-1]
}

// after returns the node that follows the value at a node.
func (d *document) after(at int32) int32 {
	if n := d.nodes[at]; n.kind == kindObject || n.kind == kindArray {
		return n.link
	}
	return at + 1
}

func (d *document) surveyKeys() {
	d.keys = keyFacts{decoded: map[int32][]byte{}}
	seed := maphash.MakeSeed()
	var hashes []uint64
	for object, n := range d.nodes {
		if n.kind != kindObject {
			continue
		}
		ascending := true
		hashes = hashes[:0]
		var last []byte
		lastRank := 0
		for at := int32(object) + 1; at < n.link; at = d.after(at + 1) {
			if k := d.nodes[at]; k.class&classEscape != 0 {
				d.keys.decoded[at] = decodeKey(d.body[k.start+1 : k.end-1])
			}
			key := d.key(at)
			if len(hashes) > 0 && bytes.Compare(last, key) >= 0 {
				ascending = false
			}
			last = key
			if rank := d.rank(key); rank < lastRank {
				d.keys.displaced = true
			} else {
				lastRank = rank
			}
			hashes = append(hashes, maphash.Bytes(seed, key))
			if _, ok := arrayIndex(key); ok {
				d.keys.indexes = true
			}
			if d.nodes[at].class&(classNonASCII|classSurrogate) != 0 {
				d.keys.highPlane = d.keys.highPlane || slices.ContainsFunc(key, func(c byte) bool { return c >= 0xEE })
			}
		}
		if ascending {
			continue
		}
		d.keys.unsorted = true
		if !d.keys.repeated {
			members := len(hashes)
			slices.Sort(hashes)
			d.keys.repeated = len(slices.Compact(hashes)) < members
		}
	}
}

// rank returns where the event's documented sample has a key, and a number beyond all
// others for a key that is not in it.
func (d *document) rank(key []byte) int {
	if rank, ok := d.ranks[string(key)]; ok {
		return rank
	}
	return math.MaxInt
}

// ranksByEvent holds, by event, where its documented sample has its keys.
type ranksByEvent map[string]map[string]int

// ranksOf numbers the keys of a sample in the order in which they are read. M2M's
// events have no two objects that disagree about the order of the same keys.
func ranksOf(sample []byte) map[string]int {
	d, ok := parseDocument(sample)
	if !ok {
		return nil
	}
	d.surveyKeys()
	ranks := map[string]int{}
	for object, n := range d.nodes {
		if n.kind != kindObject {
			continue
		}
		for at := int32(object) + 1; at < n.link; at = d.after(at + 1) {
			if key := string(d.key(at)); ranks[key] == 0 {
				ranks[key] = int(at)
			}
		}
	}
	return ranks
}

// arrayIndex returns the number that a key spells when JavaScript takes it for an
// array index.
func arrayIndex(key []byte) (uint64, bool) {
	if len(key) == 0 || len(key) > 10 || key[0] < '0' || key[0] > '9' || key[0] == '0' && len(key) > 1 {
		return 0, false
	}
	n, err := strconv.ParseUint(string(key), 10, 32)
	return n, err == nil && n < 1<<32-1
}

// foldOrders returns for each order the first that is the same for this document,
// and makes the plans of those that are left.
func (d *document) foldOrders() (same [orderCount]order) {
	for o := range orderCount {
		same[o] = o
	}
	k := d.keys
	if !k.repeated {
		same[orderRead] = orderGiven
	}
	if !k.unsorted && !k.repeated {
		same[orderSorted] = orderGiven
	}
	if !k.indexes {
		same[orderES] = same[orderRead]
		if !d.emptyObject {
			same[orderPHPArray] = same[orderRead]
		}
	}
	if !k.displaced {
		same[orderDocumented] = same[orderRead]
	}
	if !k.highPlane {
		same[orderUTF16] = same[orderSorted]
	}
	if !k.indexes {
		same[orderSortedES] = same[orderUTF16]
	}
	given := d.plan(orderGiven)
	for o := orderRead; o < orderCount; o++ {
		if same[o] != o {
			continue
		}
		d.plans[o] = d.plan(o)
		if slices.Equal(d.plans[o], given) {
			same[o] = orderGiven
			continue
		}
		for earlier := orderRead; earlier < o; earlier++ {
			if slices.Equal(d.plans[o], d.plans[earlier]) {
				same[o] = earlier
				break
			}
		}
	}
	for o := range orderCount {
		same[o] = same[same[o]]
	}
	return same
}

// listed marks, in a plan, an object that becomes a list.
const listed = -1

// plan returns, in place of each object's keys, which keys to write there, and zeros
// where there are no more of them; in place of an object that becomes a list, listed.
func (d *document) plan(o order) []int32 {
	plan := make([]int32, len(d.nodes))
	var places, keys []int32
	for object, n := range d.nodes {
		if n.kind != kindObject {
			continue
		}
		places = places[:0]
		for at := int32(object) + 1; at < n.link; at = d.after(at + 1) {
			places = append(places, at)
		}
		keys = append(keys[:0], places...)
		if d.keys.repeated && o != orderGiven {
			keys = d.lastOfEach(keys)
		}
		d.arrange(keys, o)
		for i, key := range keys {
			plan[places[i]] = key
		}
		if o == orderPHPArray && d.isList(keys) {
			plan[object] = listed
		}
	}
	return plan
}

// lastOfEach keeps of equal keys the last one, in the place of the first.
func (d *document) lastOfEach(keys []int32) []int32 {
	places := make(map[string]int, len(keys))
	kept := keys[:0]
	for _, at := range keys {
		key := string(d.key(at))
		if place, again := places[key]; again {
			kept[place] = at
			continue
		}
		places[key] = len(kept)
		kept = append(kept, at)
	}
	return kept
}

func (d *document) arrange(keys []int32, o order) {
	compare := bytes.Compare
	switch o {
	case orderSorted:
	case orderUTF16, orderSortedES:
		compare = compareUTF16
	case orderDocumented:
		compare = func(a, b []byte) int { return cmp.Compare(d.rank(a), d.rank(b)) }
	case orderES:
		compare = func(_, _ []byte) int { return 0 }
	default:
		return
	}
	indexesFirst := o == orderES || o == orderSortedES
	slices.SortStableFunc(keys, func(a, b int32) int {
		left, right := d.key(a), d.key(b)
		if indexesFirst {
			i, isIndex := arrayIndex(left)
			j, isToo := arrayIndex(right)
			switch {
			case isIndex && isToo:
				return cmp.Compare(i, j)
			case isIndex:
				return -1
			case isToo:
				return 1
			}
		}
		return compare(left, right)
	})
}

// compareUTF16 compares as UTF-16 code units would: of two lead bytes, those of the
// characters that need a pair come before U+E000 and what follows it.
func compareUTF16(a, b []byte) int {
	for i := range min(len(a), len(b)) {
		if x, y := a[i], b[i]; x != y {
			if x == 0xEE || x == 0xEF {
				x += 8
			}
			if y == 0xEE || y == 0xEF {
				y += 8
			}
			return cmp.Compare(x, y)
		}
	}
	return cmp.Compare(len(a), len(b))
}

// isList reports whether PHP writes an array with these keys as a list.
func (d *document) isList(keys []int32) bool {
	for i, at := range keys {
		if n, ok := arrayIndex(d.key(at)); !ok || n != uint64(i) {
			return false
		}
	}
	return true
}
