package diagnose

import (
	"strconv"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"github.com/leapfinancial/m2m/internal/sign"
)

// contentVariant is what is signed before the body.
type contentVariant struct {
	prefix   string
	findings []Finding
	weight   int
}

// contentVariants returns the timestamps that may have been signed, the body alone,
// and the timestamps with every other separator.
func contentVariants(m sign.Message) []contentVariant {
	var variants []contentVariant
	timestamps := timestampVariants(m)
	for i, separator := range separators() {
		for _, timestamp := range timestamps {
			variants = append(variants, contentVariant{
				prefix:   timestamp.prefix + separator.prefix,
				findings: append(timestamp.findings[:len(timestamp.findings):len(timestamp.findings)], separator.findings...),
				weight:   timestamp.weight + separator.weight,
			})
		}
		if i == 0 {
			variants = append(variants, contentVariant{"", []Finding{{
				TimestampNotSigned,
				"the signer signs the body alone, without the timestamp",
				"sign the timestamp header's text, a full stop, and the body",
			}}, 1})
		}
	}
	return variants
}

func timestampVariants(m sign.Message) []contentVariant {
	var variants []contentVariant
	if m.HasTimestamp {
		variants = append(variants, contentVariant{prefix: m.Timestamp})
	}
	if seconds, ok := sign.ParseTimestamp(m.Timestamp); ok && m.HasTimestamp {
		variants = append(variants, contentVariant{m.Timestamp + "000", []Finding{{
			TimestampMillis,
			"the timestamp was signed in milliseconds, and the header is in seconds",
			"send and sign the same text: Unix seconds",
		}}, 1})
		// Seconds have so many digits only from the year 5138 on.
		if seconds >= 1e11 {
			variants = append(variants, contentVariant{strconv.FormatInt(seconds/1000, 10), []Finding{{
				TimestampSeconds,
				"the timestamp was signed in seconds, and the header is in milliseconds",
				"send and sign the same text: Unix seconds, Math.floor(Date.now() / 1000)",
			}}, 1})
		}
	}
	if text := secondsOf(m.Timestamp); text != m.Timestamp && m.HasTimestamp {
		variants = append(variants, contentVariant{text, []Finding{{
			Unknown,
			"the timestamp header is not in Unix seconds, and " + text + " was signed",
			"send and sign the same text: Unix seconds, digits alone",
		}}, 1})
	}
	if text := gjson.GetBytes(m.Body, "timestamp"); text.Type == gjson.String && text.Str != m.Timestamp {
		variants = append(variants, contentVariant{text.Str, []Finding{{
			TimestampFromBody,
			"the body's timestamp was signed in place of the header's",
			"sign the text of the X-M2M-Timestamp header",
		}}, 1})
	}
	return variants
}

// secondsOf returns the Unix seconds that a malformed timestamp stands for, or the
// text itself.
func secondsOf(text string) string {
	trimmed := strings.Trim(text, " \t\r\n\"'")
	if moment, err := time.Parse(time.RFC3339Nano, trimmed); err == nil {
		return sign.FormatTimestamp(moment)
	}
	whole, _, _ := strings.Cut(trimmed, ".")
	if _, ok := sign.ParseTimestamp(whole); ok {
		return whole
	}
	return text
}

func separators() []contentVariant {
	variants := []contentVariant{{prefix: "."}}
	for _, separator := range [...]struct{ text, name string }{
		{"", "nothing"}, {":", "a colon"}, {"\n", "a newline"}, {"_", "an underscore"}, {"-", "a hyphen"},
	} {
		variants = append(variants, contentVariant{separator.text, []Finding{{
			WrongSeparator,
			separator.name + " stands between timestamp and body in what was signed, where a full stop has to be",
			"join them with a full stop: timestamp + '.' + body",
		}}, 1})
	}
	return variants
}
