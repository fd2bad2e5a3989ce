package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// authentic says whether body was signed with the secret, and recently.
func (h *Handler) authentic(header http.Header, body []byte) bool {
	timestamp := value(header, "X-M2M-Timestamp")
	signature := value(header, "X-M2M-Signature")

	// ParseUint takes digits alone, where ParseInt would take a sign, too. 63 bits,
	// so that the subtraction below cannot overflow.
	seconds, err := strconv.ParseUint(timestamp, 10, 63)
	if err != nil {
		return false
	}

	// The header's own text is signed, not the number that it stands for.
	mac := hmac.New(sha256.New, h.secret)
	mac.Write([]byte(timestamp))
	mac.Write([]byte("."))
	mac.Write(body)
	expected := "sha256=" + hex.EncodeToString(mac.Sum(nil))

	// In constant time, or a forger could find the signature digit by digit. Two
	// lengths that differ are unequal, not an error.
	matches := hmac.Equal([]byte(signature), []byte(expected))

	// Without a limit on its age, a captured delivery could be sent again for ever.
	const limit = int64(Tolerance / time.Second)
	age := h.now().Unix() - int64(seconds)
	return matches && -limit <= age && age <= limit
}

// value returns the value of the named header. Repeated ones are joined, as RFC 9110
// allows, which makes a malformed value of them: Get would take the first and leave
// the others to whoever reads them next.
func value(header http.Header, name string) string {
	return strings.Join(header.Values(name), ", ")
}
