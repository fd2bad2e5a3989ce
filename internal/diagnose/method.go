package diagnose

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"hash"
)

// methodVariant is a way to make a MAC of a key, what stands before the body, and
// the body.
type methodVariant struct {
	// size is the MAC's length in bytes.
	size int
	// keyless says that the key makes no difference.
	keyless  bool
	findings []Finding
	weight   int
	// start returns the function that makes MACs under a key. It is not safe for
	// concurrent use.
	start func(key []byte) func(prefix string, body []byte) []byte
}

func methodVariants() []methodVariant {
	variants := []methodVariant{{size: sha256.Size, start: startHMAC(sha256.New)}}
	for _, other := range [...]struct {
		name string
		size int
		hash func() hash.Hash
	}{
		{"SHA-1", sha1.Size, sha1.New}, {"SHA-384", sha512.Size384, sha512.New384}, {"SHA-512", sha512.Size, sha512.New},
	} {
		// A digest of this length can be no HMAC-SHA256, so that this is no more
		// unlikely than anything else.
		variants = append(variants, methodVariant{size: other.size, start: startHMAC(other.hash), findings: []Finding{{
			WrongAlgorithm,
			"it is an HMAC with " + other.name,
			"sign with HMAC-SHA256",
		}}})
	}
	const useHMAC = "use the HMAC of a crypto library, keyed with the secret: crypto.createHmac('sha256', secret)"
	return append(variants,
		methodVariant{size: sha256.Size, keyless: true, weight: 1, start: startHash(false, false), findings: []Finding{{
			PlainHash, "it is a plain SHA-256 of the content, without the secret", useHMAC,
		}}},
		methodVariant{size: sha256.Size, weight: 1, start: startHash(true, false), findings: []Finding{{
			PlainHash, "it is a plain SHA-256 of the secret followed by the content, not an HMAC", useHMAC,
		}}},
		methodVariant{size: sha256.Size, weight: 1, start: startHash(false, true), findings: []Finding{{
			PlainHash, "it is a plain SHA-256 of the content followed by the secret, not an HMAC", useHMAC,
		}}},
	)
}

func startHMAC(newHash func() hash.Hash) func([]byte) func(string, []byte) []byte {
	return func(key []byte) func(string, []byte) []byte {
		h, sum := hmac.New(newHash, key), []byte(nil)
		return func(prefix string, body []byte) []byte {
			h.Reset()
			h.Write([]byte(prefix))
			h.Write(body)
			sum = h.Sum(sum[:0])
			return sum
		}
	}
}

// startHash joins the key before the content, after it, or not at all.
func startHash(before, after bool) func([]byte) func(string, []byte) []byte {
	return func(key []byte) func(string, []byte) []byte {
		h, sum := sha256.New(), []byte(nil)
		return func(prefix string, body []byte) []byte {
			h.Reset()
			if before {
				h.Write(key)
			}
			h.Write([]byte(prefix))
			h.Write(body)
			if after {
				h.Write(key)
			}
			sum = h.Sum(sum[:0])
			return sum
		}
	}
}
