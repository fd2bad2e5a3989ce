package diagnose

import (
	"encoding/base64"
	"encoding/hex"
	"slices"
	"strings"

	"github.com/leapfinancial/m2m/internal/sign"
)

// secretVariant is one reading of a secret.
type secretVariant struct {
	bytes    []byte
	findings []Finding
	weight   int
}

// secretStep changes a secret in one way, and returns nothing where it does not
// apply.
type secretStep struct {
	finding Finding
	apply   func(secret string) []string
}

func secretSteps() []secretStep {
	return []secretStep{
		{Finding{
			SecretWhitespace,
			"there is white space around the secret",
			"store the secret without it: printf %s, not echo",
		}, trims},
		{Finding{
			SecretQuoted,
			"there are quotes around the secret",
			"store the secret without them: docker's --env-file and some .env readers keep quotes as part of the value",
		}, unquotes},
		{Finding{
			SecretPrefix,
			"the signer uses the secret without its prefix",
			"give m2m and your handler the secret that the signer uses, without the prefix",
		}, unprefixes},
		{Finding{
			SecretBase64,
			"the signer decodes the secret from base64 first",
			"decode the secret before use: Buffer.from(secret, 'base64')",
		}, unbase64s},
		{Finding{
			SecretHex,
			"the signer decodes the secret from hex first",
			"decode the secret before use: Buffer.from(secret, 'hex')",
		}, unhexes},
	}
}

// secretVariants returns every secret as it is, then what the steps make of it, then
// the others as they are.
func secretVariants(keys []sign.Key, others []Other) []secretVariant {
	var variants []secretVariant
	known := func(secret []byte) bool {
		return slices.ContainsFunc(variants, func(v secretVariant) bool { return slices.Equal(v.bytes, secret) })
	}
	for _, key := range keys {
		if secret := key.Reveal(); len(secret) > 0 && !known(secret) {
			variants = append(variants, secretVariant{bytes: secret})
		}
	}
	// Each round takes one more step from what the round before it made.
	for from, weight := 0, 1; weight <= maxWeight; weight++ {
		until := len(variants)
		for _, variant := range variants[from:until] {
			for _, step := range secretSteps() {
				if slices.Contains(variant.findings, step.finding) {
					continue
				}
				for _, secret := range step.apply(string(variant.bytes)) {
					if secret == "" || known([]byte(secret)) {
						continue
					}
					findings := append(slices.Clone(variant.findings), step.finding)
					variants = append(variants, secretVariant{[]byte(secret), findings, secretWeight(findings)})
				}
			}
		}
		from = until
	}
	for _, other := range others {
		if secret := other.Key.Reveal(); len(secret) > 0 && !known(secret) {
			variants = append(variants, secretVariant{secret, []Finding{otherSecret(other)}, 1})
		}
	}
	return variants
}

// secretWeight takes a prefix before base64 for one thing: that is how Standard
// Webhooks writes its secrets.
func secretWeight(findings []Finding) int {
	weight := len(findings)
	for i, finding := range findings[1:] {
		if finding.Cause == SecretBase64 && findings[i].Cause == SecretPrefix {
			weight--
		}
	}
	return weight
}

func otherSecret(other Other) Finding {
	return Finding{
		OtherSecret,
		"it is signed with " + other.Name + ", " + other.Key.Fingerprint(),
		"verify with that secret (--profile NAME, for a profile's), or let the signer use the one given",
	}
}

func trims(secret string) []string {
	return changed(secret, strings.TrimSpace(secret), strings.TrimRight(secret, "\r\n"), strings.TrimRight(secret, " \t"))
}

func unquotes(secret string) []string {
	var secrets []string
	for _, pair := range [...][2]string{{`"`, `"`}, {"'", "'"}, {"`", "`"}, {"“", "”"}, {"‘", "’"}} {
		rest, opened := strings.CutPrefix(secret, pair[0])
		if rest, closed := strings.CutSuffix(rest, pair[1]); opened && closed {
			secrets = append(secrets, rest)
		}
	}
	return secrets
}

// unprefixes cuts at the first two underscores, as in whsec_… and m2m_whsec_….
func unprefixes(secret string) []string {
	var secrets []string
	rest := secret
	for range 2 {
		name, tail, found := strings.Cut(rest, "_")
		if !found || !isName(name) {
			break
		}
		secrets = append(secrets, tail)
		rest = tail
	}
	return secrets
}

func isName(text string) bool {
	return text != "" && len(text) <= 12 && !strings.ContainsFunc(text, func(r rune) bool { return !isLetter(r) })
}

func isLetter(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
}

// unbase64s decodes as strict decoders do, and as Node.js and Python do, which skip what
// is no base64 and so decode words, too.
func unbase64s(secret string) []string {
	// White space and quotes are mistakes of their own, though these two skip them.
	if len(trims(secret)) > 0 || len(unquotes(secret)) > 0 {
		return nil
	}
	var decoded []string
	for _, encoding := range base64Encodings() {
		if text, err := encoding.DecodeString(secret); err == nil {
			decoded = append(decoded, string(text))
			break
		}
	}
	digits, _, _ := strings.Cut(secret, "=")
	node := only64(strings.NewReplacer("-", "+", "_", "/").Replace(digits))
	if len(node)%4 == 1 {
		node = node[:len(node)-1]
	}
	for _, digits := range []string{node, only64(digits)} {
		if text, err := base64.RawStdEncoding.DecodeString(digits); err == nil {
			decoded = append(decoded, string(text))
		}
	}
	return decoded
}

// only64 returns the characters that base64 has.
func only64(text string) string {
	return strings.Map(func(r rune) rune {
		if isLetter(r) || r == '+' || r == '/' {
			return r
		}
		return -1
	}, text)
}

func unhexes(secret string) []string {
	decoded, err := hex.DecodeString(secret)
	if err != nil {
		return nil
	}
	return []string{string(decoded)}
}

// changed returns those of the texts that differ from the original and each other.
func changed(original string, texts ...string) []string {
	var different []string
	for _, text := range texts {
		if text != original && !slices.Contains(different, text) {
			different = append(different, text)
		}
	}
	return different
}
