package sign

import (
	"bytes"
	"encoding/json"
	"slices"
)

// shortestHidden is how many bytes a secret has at least that is hidden: shorter ones
// stand in too many words, and a text full of fingerprints would give them away.
const shortestHidden = 8

// Hide returns the text with the key's fingerprint wherever its secret stands, for
// what somebody else wrote who may know it. White space around the secret is left
// out of the comparison, because a handler may have trimmed it, and inside a JSON
// string it is found as well. A secret of fewer than 8 bytes is not looked for. Text
// without the secret comes back as it is, and is never written to.
func (k Key) Hide(text []byte) []byte { return Hide(text, k.bytes()) }

// Hide is Key.Hide for any secret, an API key for instance.
func Hide(text, secret []byte) []byte {
	bare := bytes.TrimSpace(secret)
	if len(bare) < shortestHidden {
		return text
	}
	for _, spelling := range spellings(bare) {
		if bytes.Contains(text, spelling) {
			text = bytes.ReplaceAll(text, spelling, []byte(Fingerprint(secret)))
		}
	}
	return text
}

// spellings returns the secret as it is and as JSON has it between quotes: as
// JSON.stringify escapes, and as encoding/json does.
func spellings(secret []byte) [][]byte {
	all := [][]byte{secret}
	for _, forHTML := range []bool{false, true} {
		var b bytes.Buffer
		encoder := json.NewEncoder(&b)
		encoder.SetEscapeHTML(forHTML)
		if encoder.Encode(string(secret)) != nil {
			continue
		}
		spelled := bytes.TrimSpace(b.Bytes())
		spelled = spelled[1 : len(spelled)-1]
		if !slices.ContainsFunc(all, func(one []byte) bool { return bytes.Equal(one, spelled) }) {
			all = append(all, spelled)
		}
	}
	return all
}
