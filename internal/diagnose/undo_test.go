package diagnose

import (
	"bytes"
	"compress/gzip"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"io"
	"math/rand/v2"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// reading is a delivery without some of what is wrong with it.
type reading struct {
	body, key        []byte
	stamp, separator string
	bodyAlone        bool
	mac              func(key, content []byte) []byte
}

func (r reading) with(change func(r *reading)) reading {
	change(&r)
	return r
}

func hmacWith(newHash func() hash.Hash) func(key, content []byte) []byte {
	return func(key, content []byte) []byte {
		h := hmac.New(newHash, key)
		h.Write(content)
		return h.Sum(nil)
	}
}

func (r reading) sum() []byte {
	if r.bodyAlone {
		return r.mac(r.key, r.body)
	}
	return r.mac(r.key, slices.Concat([]byte(r.stamp+r.separator), r.body))
}

// undo returns what a delivery may be when it is rid of one cause, in the words of the
// contract's table and with nothing of the package's own. Of the JSON it only knows
// what was signed.
func undo(cause Cause, r reading, signed []byte) []reading {
	bodies := func(bodies ...[]byte) (undone []reading) {
		for _, body := range bodies {
			undone = append(undone, r.with(func(r *reading) { r.body = body }))
		}
		return undone
	}
	keys := func(keys ...string) (undone []reading) {
		for _, key := range keys {
			undone = append(undone, r.with(func(r *reading) { r.key = []byte(key) }))
		}
		return undone
	}
	stamped := func(stamp, separator string) []reading {
		return []reading{r.with(func(r *reading) { r.stamp, r.separator = stamp, separator })}
	}
	replace := func(from, to string) []byte { return bytes.ReplaceAll(r.body, []byte(from), []byte(to)) }
	secret := string(r.key)
	switch cause {
	case TrailingNewline:
		return bodies(bytes.TrimSuffix(r.body, []byte("\n")), bytes.TrimSuffix(r.body, []byte("\r\n")))
	case MissingNewline:
		return bodies(slices.Concat(r.body, []byte("\n")), slices.Concat(r.body, []byte("\r\n")))
	case CRLF:
		return bodies(replace("\r\n", "\n"))
	case LF:
		return bodies(replace("\n", "\r\n"))
	case BOM:
		return bodies(bytes.TrimPrefix(r.body, []byte("\xef\xbb\xbf")))
	case GzipBody:
		if zipped, err := gzip.NewReader(bytes.NewReader(r.body)); err == nil {
			if body, err := io.ReadAll(zipped); err == nil {
				return bodies(body)
			}
		}
	case URLEncodedBody:
		if body, err := url.QueryUnescape(string(r.body)); err == nil {
			return bodies([]byte(body))
		}
	case ReserializedJSON:
		if sameJSON(r.body, signed) {
			return bodies(signed, bytes.TrimSuffix(signed, []byte("\n")))
		}
	case SecretWhitespace:
		return keys(strings.TrimSpace(secret))
	case SecretQuoted:
		return keys(secret[1 : len(secret)-1])
	case SecretPrefix:
		return keys(secret[strings.Index(secret, "_")+1:])
	case SecretBase64:
		if key, err := base64.StdEncoding.DecodeString(secret); err == nil {
			return keys(string(key))
		}
	case SecretHex:
		if key, err := hex.DecodeString(secret); err == nil {
			return keys(string(key))
		}
	case OtherSecret:
		return keys(stagingSecret)
	case TimestampMillis:
		return stamped(r.stamp+"000", r.separator)
	case TimestampSeconds:
		return stamped(r.stamp[:len(r.stamp)-3], r.separator)
	case TimestampFromBody:
		var payload struct{ Timestamp string }
		if err := json.Unmarshal(signed, &payload); err == nil {
			return stamped(payload.Timestamp, r.separator)
		}
	case TimestampNotSigned:
		return []reading{r.with(func(r *reading) { r.bodyAlone = true })}
	case WrongSeparator:
		var undone []reading
		for _, separator := range []string{"", ":", "\n", "_", "-"} {
			undone = append(undone, stamped(r.stamp, separator)...)
		}
		return undone
	case WrongAlgorithm:
		return []reading{
			r.with(func(r *reading) { r.mac = hmacWith(sha1.New) }),
			r.with(func(r *reading) { r.mac = hmacWith(sha512.New384) }),
			r.with(func(r *reading) { r.mac = hmacWith(sha512.New) }),
		}
	case PlainHash:
		plain := func(join func(key, content []byte) []byte) reading {
			return r.with(func(r *reading) {
				r.mac = func(key, content []byte) []byte {
					sum := sha256.Sum256(join(key, content))
					return sum[:]
				}
			})
		}
		return []reading{
			plain(func(_, content []byte) []byte { return content }),
			plain(func(key, content []byte) []byte { return slices.Concat(key, content) }),
			plain(func(key, content []byte) []byte { return slices.Concat(content, key) }),
		}
	case SignatureUnprefixed, SignatureUppercase, SignatureBase64:
		return []reading{r}
	}
	return nil
}

// macIn reads a signature that has those of the three spelling causes.
func macIn(signature string, causes []Cause) []byte {
	if !slices.Contains(causes, SignatureUnprefixed) {
		_, signature, _ = strings.Cut(signature, "=")
	}
	if slices.Contains(causes, SignatureUppercase) {
		signature = strings.ToLower(signature)
	}
	decode := hex.DecodeString
	if slices.Contains(causes, SignatureBase64) {
		decode = base64.StdEncoding.DecodeString
	}
	mac, err := decode(signature)
	if err != nil {
		return nil
	}
	return mac
}

// broken returns a delivery with some of the table's mistakes, how many, and the body
// that was signed.
func broken(r *rand.Rand, sample []byte) (c capture, mistakes int, signed []byte) {
	key, stamp, separator := []byte(toolSecret), toolTimestamp, "."
	c = capture{Secret: key, Timestamp: stamp, Body: sample}
	signed = sample
	// Each part is broken in none, one, or two ways.
	pick := func(ways ...func()) {
		for _, i := range r.Perm(len(ways))[:max(0, r.IntN(5)-2)] {
			mistakes++
			c.Name += fmt.Sprintf(" %d", i)
			ways[i]()
		}
		c.Name += ";"
	}
	text := func(edit func(text string) string) func() {
		return func() { c.Body = []byte(edit(string(c.Body))) }
	}
	rewrite := func(indent string) func() {
		return func() {
			var value any
			if json.Unmarshal(signed, &value) != nil {
				return
			}
			if written, err := json.MarshalIndent(value, "", indent); err == nil {
				signed = written
			}
		}
	}
	pick(
		rewrite("  "),
		rewrite("\t"),
		text(func(text string) string { return strings.ReplaceAll(text, "\n", "\r\n") }),
		text(func(text string) string { return text + "\n" }),
		text(func(text string) string { return "\ufeff" + text }),
		text(url.QueryEscape),
		func() { signed = append(bytes.Clone(signed), '\n') },
		func() {
			var zipped bytes.Buffer
			w := gzip.NewWriter(&zipped)
			_, _ = w.Write(c.Body)
			_ = w.Close()
			c.Body = zipped.Bytes()
		},
	)
	pick(
		func() { c.Secret = append(bytes.Clone(c.Secret), '\n') },
		func() { c.Secret = []byte(strconv.Quote(string(c.Secret))) },
		func() { c.Secret = append([]byte("whsec_"), c.Secret...) },
		func() { c.Secret = []byte(base64.StdEncoding.EncodeToString(c.Secret)) },
		func() { c.Secret = []byte(hex.EncodeToString(c.Secret)) },
		func() { key = []byte(stagingSecret) },
	)
	alone := false
	pick(
		func() { stamp += "000" },
		func() { c.Timestamp += "007" },
		func() { stamp = "2026-01-26T14:30:00.000Z" },
		func() { separator = []string{"", ":", "\n", "_", "-"}[r.IntN(5)] },
		func() { alone = true },
	)
	made := reading{signed, key, stamp, separator, alone, hmacWith(sha256.New)}
	pick(
		func() { made.mac = hmacWith(sha1.New) },
		func() { made.mac = hmacWith(sha512.New) },
		func() { made = undo(PlainHash, made, nil)[r.IntN(3)] },
	)
	mac := made.sum()
	c.Signature = hexSignature(mac)
	pick(
		func() { c.Signature = "sha256=" + base64.StdEncoding.EncodeToString(mac) },
		func() { c.Signature = strings.TrimPrefix(c.Signature, "sha256=") },
	)
	return c, mistakes, signed
}

// TestWhatIsNamedExplainsTheSignature: without the causes named, and with nothing else
// changed, a delivery has the signature that it came with.
func TestWhatIsNamedExplainsTheSignature(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(2, 7))
	bodies := samples(t)
	sample := bodies["events/operation.created.json"]
	const deliveries = 700
	named, together := 0, 0
	for range deliveries {
		c, mistakes, signed := broken(r, sample)
		got := c.diagnose(t, Thorough)
		causes := causesOf(got)
		c.expectNoSecret(t, got)
		if mistakes == 1 && got.Cause() == Unknown {
			t.Errorf("%s: got %s for a single mistake", c.Name, Unknown)
		}
		if got.Cause() == Unknown {
			continue
		}
		readings := []reading{{c.Body, c.Secret, c.Timestamp, ".", false, hmacWith(sha256.New)}}
		for _, cause := range causes {
			var undone []reading
			for _, reading := range readings {
				undone = append(undone, undo(cause, reading, signed)...)
			}
			readings = undone
		}
		mac := macIn(c.Signature, causes)
		if !slices.ContainsFunc(readings, func(r reading) bool { return bytes.Equal(r.sum(), mac) }) {
			t.Errorf("%s: %q do not explain the signature of %.300q", c.Name, causes, c.Body)
		}
		named++
		if len(causes) > 1 {
			together++
		}
	}
	if named < deliveries/2 || together < deliveries/4 {
		t.Errorf("only %d of %d were explained, %d of them by several causes", named, deliveries, together)
	}
}
