package diagnose

import (
	"encoding/base64"
	"encoding/hex"
	"strconv"
	"strings"

	"github.com/leapfinancial/m2m/internal/sign"
)

// receivedMAC is one reading of a signature header.
type receivedMAC struct {
	mac      []byte
	findings []Finding
}

// receivedMACs reads a signature header in every way that spells a MAC.
func receivedMACs(text string) []receivedMAC {
	bare := strings.Trim(text, " \t\r\n\"'`")
	macs := bareMACs(bare)
	if bare == text {
		return macs
	}
	for i := range macs {
		macs[i].findings = append(macs[i].findings, Finding{
			Unknown,
			"there are quotes or white space around the signature",
			"write it without them: sha256= and 64 lowercase hex digits",
		})
	}
	return macs
}

func bareMACs(text string) []receivedMAC {
	var findings []Finding
	name, digits, prefixed := strings.Cut(text, "=")
	// Without a name, the first = is base64's padding.
	if prefixed = prefixed && isAlgorithmName(name); !prefixed {
		digits = text
		findings = append(findings, Finding{
			SignatureUnprefixed,
			"the signature stands there without sha256= before it",
			"write it as sha256= and 64 lowercase hex digits",
		})
	}
	if mac, err := hex.DecodeString(digits); err == nil && isDigestSize(len(mac)) {
		if strings.ToLower(text) != text {
			findings = append(findings, Finding{
				SignatureUppercase,
				"the signature is written in capitals",
				"write sha256= and the hex digits in lower case",
			})
		}
		return []receivedMAC{{mac, findings}}
	}
	for _, encoding := range base64Encodings() {
		mac, err := encoding.DecodeString(digits)
		if err != nil || !isDigestSize(len(mac)) {
			continue
		}
		return []receivedMAC{{mac, append(findings, Finding{
			SignatureBase64,
			"the signature is base64",
			"write it in lowercase hex: digest('hex'), hexdigest()",
		})}}
	}
	return nil
}

func isAlgorithmName(name string) bool {
	lower := strings.ToLower(name)
	return strings.HasPrefix(lower, "sha") && strings.Trim(lower[3:], "0123456789-") == ""
}

func isDigestSize(size int) bool {
	return size == 20 || size == 32 || size == 48 || size == 64
}

func base64Encodings() []*base64.Encoding {
	return []*base64.Encoding{
		base64.StdEncoding.Strict(), base64.RawStdEncoding.Strict(),
		base64.URLEncoding.Strict(), base64.RawURLEncoding.Strict(),
	}
}

// noMAC explains a signature header that spells no MAC at all.
func noMAC(text string) Finding {
	digits := strings.TrimPrefix(text, sign.Prefix)
	message := "the signature is neither hex nor base64 of a digest"
	switch {
	case digits == "":
		message = "there is nothing in the signature header"
	case strings.Trim(digits, "0123456789abcdefABCDEF") == "":
		message = "the signature has " + strconv.Itoa(len(digits)) + " hex digits, and a SHA-256 has 64"
	case strings.Contains(text, ", "+sign.Prefix):
		message = "there is more than one signature in the header"
	}
	return Finding{Unknown, message, "send X-M2M-Signature once: sha256= and the 64 lowercase hex digits of the MAC"}
}
