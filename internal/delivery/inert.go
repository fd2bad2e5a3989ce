package delivery

import "bytes"

// Inert returns text in which no CI runner finds a command wherever it stands in a log,
// "##[error]" of GitHub's, "##vso[" of Azure's or "##teamcity[": the second # is spelled
// as JSON escapes it, so a JSON text stays the same value.
func Inert(text []byte) []byte {
	var safe []byte
	copied := 0
	for at := 0; ; {
		next := bytes.Index(text[at:], []byte("##"))
		if next < 0 {
			break
		}
		at += next + len("#")
		name := at + len("#")
		for name < len(text) && isLetter(text[name]) {
			name++
		}
		if name < len(text) && text[name] == '[' {
			safe = append(append(safe, text[copied:at]...), `\u0023`...)
			copied = at + len("#")
		}
	}
	if copied == 0 {
		return text
	}
	return append(safe, text[copied:]...)
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }
