package diagnose

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/url"
	"slices"
	"strings"

	"github.com/tidwall/gjson"
)

const (
	// maxVaried is the longest body that is decoded, changed or spelled otherwise, and
	// that decoding may make, in bytes. Of a longer one there are no copies.
	maxVaried = 4 << 20
	// maxGrowth is how much longer indentation may make a document.
	maxGrowth = 8
)

// bodyVariant is one reading of the body.
type bodyVariant struct {
	weight int
	// cost is what making it costs, in bytes hashed.
	cost int
	// bytes returns the body, in memory that is buf's or its own and is not to be
	// changed.
	bytes    func(buf []byte) []byte
	findings func() []Finding
}

// bodyStep changes a body in one way, and returns nothing where it does not apply.
type bodyStep struct {
	finding Finding
	apply   func(body []byte) [][]byte
}

// bodyStages are the steps in the order in which they undo what happened to a body;
// of each stage, one step or none.
func bodyStages() [][]bodyStep {
	const raw = "capture the raw body, as the HTTP server hands it over"
	return [][]bodyStep{
		{
			{Finding{GzipBody, "the body is compressed with gzip, and the signature is over the text", "decompress the body before checking"}, gunzips},
			{Finding{URLEncodedBody, "the body is URL-encoded, and the signature is over the text", raw + ", not from a form or a query"}, urlDecodes},
		},
		{
			{Finding{BOM, "a byte order mark stands before the body", "save the file as UTF-8 without a byte order mark"}, cutBOM},
		},
		{
			{Finding{CRLF, "the body's line ends are CRLF, and those that were signed are LF", raw + "; git's autocrlf and Windows editors change line ends"}, toLF},
			{Finding{LF, "the body's line ends are LF, and those that were signed are CRLF", raw + "; git's autocrlf and editors change line ends"}, toCRLF},
		},
		{
			{Finding{TrailingNewline, "a newline was added at the end of the body", "capture the body with --data-binary, or check before your editor adds the last line"}, cutNewline},
			{Finding{MissingNewline, "the newline at the end of the body is missing", "capture every byte: $(…) in a shell and trim() take the last newline off"}, addNewline},
		},
	}
}

// bodyVariants returns the body as it is, then what the steps make of it. The function
// returns the JSON in other spellings, which costs more than most searches need.
func bodyVariants(body []byte, ranks ranksByEvent) (variants []bodyVariant, spellings func() []bodyVariant) {
	type made struct {
		bytes    []byte
		findings []Finding
	}
	if body == nil {
		body = []byte{} // no bytes would say that the variant does not apply
	}
	all := []made{{bytes: body}}
	stages := bodyStages()
	if len(body) > maxVaried {
		stages = nil
	}
	known := func(body []byte) bool {
		return slices.ContainsFunc(all, func(m made) bool { return bytes.Equal(m.bytes, body) })
	}
	// What was decoded and rid of its mark can be parsed.
	parsable := 0
	for i, stage := range stages {
		for _, before := range all {
			if len(before.findings) == maxWeight {
				continue
			}
			for _, step := range stage {
				for _, after := range step.apply(before.bytes) {
					if !known(after) {
						all = append(all, made{after, append(slices.Clone(before.findings), step.finding)})
					}
				}
			}
		}
		if i == 1 {
			parsable = len(all)
		}
	}
	variants = make([]bodyVariant, 0, len(all))
	for _, m := range all {
		variants = append(variants, bodyVariant{
			weight:   bodyWeight(m.findings),
			bytes:    func([]byte) []byte { return m.bytes },
			findings: func() []Finding { return m.findings },
		})
	}
	return variants, func() []bodyVariant {
		var spellings []bodyVariant
		for _, m := range all[:parsable] {
			spellings = append(spellings, spelled(m.bytes, m.findings, ranks)...)
		}
		return spellings
	}
}

// bodyWeight takes a byte order mark, the line ends and the last of them for one thing:
// an editor changes them all at once.
func bodyWeight(findings []Finding) int {
	weight, edited := 0, 0
	for _, finding := range findings {
		switch finding.Cause {
		case BOM, CRLF, LF, TrailingNewline, MissingNewline:
			edited = 1
		default:
			weight++
		}
	}
	return weight + edited
}

// likelySpellings is how many of a document's spellings are tried together with
// whatever else goes wrong.
const likelySpellings = 16

// spelled returns the body in the spellings of other writers, each as it is and with
// a newline at its end.
func spelled(body []byte, before []Finding, ranks ranksByEvent) []bodyVariant {
	document, ok := parseDocument(body)
	if !ok || indentation(document) > maxGrowth*len(body)+64<<10 {
		return nil
	}
	document.ranks = ranks[gjson.GetBytes(body, "event").String()]
	var variants []bodyVariant
	for i, spelling := range document.spellings() {
		weight := bodyWeight(before) + 1
		if i >= likelySpellings {
			weight++
		}
		finding := func() []Finding {
			return append(slices.Clone(before), respelled(document, spelling))
		}
		variant := bodyVariant{
			weight: weight, cost: spellingCost * len(body), findings: finding,
			bytes: func(buf []byte) []byte {
				text := document.spell(buf[:0], spelling)
				if bytes.Equal(text, body) {
					return nil
				}
				return text
			},
		}
		withNewline := variant
		withNewline.bytes = func(buf []byte) []byte { return append(document.spell(buf[:0], spelling), '\n') }
		// A newline that the given body has, too, is no second mistake.
		if !bytes.HasSuffix(body, []byte("\n")) {
			withNewline.weight++
			withNewline.findings = func() []Finding { return append(finding(), bodyStages()[3][1].finding) }
		}
		variants = append(variants, variant, withNewline)
	}
	return variants
}

// respelled says how the signed spelling differs from the body. Where white space makes
// all the difference, no parser need have done it.
func respelled(document *document, spelling spelling) Finding {
	signed := document.spell(nil, spelling)
	description := document.describe(spelling)
	switch {
	case bytes.Equal(bytes.TrimSpace(document.body), signed):
		return Finding{
			ReserializedJSON,
			"there is white space around the JSON that was not signed; the signature is over this spelling: " + description,
			"capture the body with --data-binary, byte for byte, and add nothing to it",
		}
	case bytes.Equal(bytes.ReplaceAll(signed, []byte("\n"), nil), document.body):
		return Finding{
			ReserializedJSON,
			"the line ends inside the JSON are gone; the signature is over this spelling: " + description,
			"curl's -d FILE takes line ends away: use --data-binary",
		}
	}
	return Finding{
		ReserializedJSON,
		"the JSON was parsed and written again; the signature is over this spelling: " + description,
		"sign and check the raw bytes: keep the body as it came, before any JSON parser (express.raw, request.get_data())",
	}
}

// indentation returns how many bytes four spaces a level put before the values of a
// document: with many of them deep down, far more than the document has itself.
func indentation(document *document) int {
	spaces := 0
	var open []int32 // where the objects and arrays end that a value is in
	for at, n := range document.nodes {
		for len(open) > 0 && open[len(open)-1] <= int32(at) {
			open = open[:len(open)-1]
		}
		spaces += 4 * len(open)
		if n.kind == kindObject || n.kind == kindArray {
			open = append(open, n.link)
		}
	}
	return spaces
}

func gunzips(body []byte) [][]byte {
	reader, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return nil
	}
	decoded, err := io.ReadAll(io.LimitReader(reader, maxVaried+1))
	if err != nil || len(decoded) > maxVaried {
		return nil
	}
	return [][]byte{decoded}
}

// urlDecodes also takes the value of a form with a single field.
func urlDecodes(body []byte) [][]byte {
	if !bytes.ContainsAny(body, "%+") {
		return nil
	}
	text := string(body)
	texts := []string{text}
	if name, value, found := strings.Cut(text, "="); found && isName(name) {
		texts = append(texts, value)
	}
	var decoded [][]byte
	for _, text := range texts {
		for _, unescape := range [...]func(string) (string, error){url.QueryUnescape, url.PathUnescape} {
			if plain, err := unescape(text); err == nil && plain != text {
				decoded = append(decoded, []byte(plain))
			}
		}
	}
	return decoded
}

func cutBOM(body []byte) [][]byte {
	text, found := bytes.CutPrefix(body, []byte("\xef\xbb\xbf"))
	return only(text, found)
}

func toLF(body []byte) [][]byte {
	return only(bytes.ReplaceAll(body, []byte("\r\n"), []byte("\n")), bytes.Contains(body, []byte("\r\n")))
}

func toCRLF(body []byte) [][]byte {
	text := bytes.ReplaceAll(bytes.ReplaceAll(body, []byte("\r\n"), []byte("\n")), []byte("\n"), []byte("\r\n"))
	return only(text, len(text) != len(body))
}

func cutNewline(body []byte) [][]byte {
	text, found := bytes.CutSuffix(body, []byte("\n"))
	return only(bytes.TrimSuffix(text, []byte("\r")), found)
}

func addNewline(body []byte) [][]byte {
	return [][]byte{append(slices.Clone(body), '\n'), append(slices.Clone(body), '\r', '\n')}
}

func only(body []byte, applies bool) [][]byte {
	if !applies {
		return nil
	}
	return [][]byte{body}
}
