package verify

import (
	"strings"

	"github.com/leapfinancial/m2m/internal/delivery"
)

const (
	// mostNamed is how many of somebody else's headers are named.
	mostNamed = 3
	// longestName is longer than any header's that means something, in bytes.
	longestName = 64
)

// foreign says that a delivery has none of M2M's headers, and whose signature it has
// in their place.
func foreign(headers delivery.Headers) string {
	var others []string
	for _, header := range headers {
		name := strings.ToLower(header.Name)
		if strings.HasPrefix(name, "x-m2m-") {
			return ""
		}
		if len(name) > longestName {
			continue
		}
		if strings.Contains(name, "signature") || strings.Contains(name, "hmac") {
			others = append(others, header.Name)
		}
	}
	text := "it has none of M2M's headers: this is not one of its deliveries"
	if len(others) > mostNamed {
		others = append(others[:mostNamed], "more")
	}
	if len(others) > 0 {
		text += ", but somebody else's, with " + strings.Join(others, " and ")
	}
	return text
}
