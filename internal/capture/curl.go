package capture

import (
	"strings"

	"github.com/leapfinancial/m2m/internal/delivery"
)

// curlSource reads curl commands, one after the other.
type curlSource struct {
	words splitter
}

func (s *curlSource) Next() (delivery.Record, int, error) {
	words, err := s.words.command()
	if err != nil {
		return delivery.Record{}, s.words.in.line, err
	}
	line := words[0].line
	if words[0].text == "$" && len(words) > 1 {
		words = words[1:]
	}
	if name := words[0].text; name != "curl" && name != "curl.exe" {
		return delivery.Record{}, line, words[0].errorf("another command: only curl is read here")
	}
	request, err := readCommand(words)
	if err != nil {
		return delivery.Record{}, line, err
	}
	return record(request), line, nil
}

// command is what a curl command asks for.
type command struct {
	method  string
	url     *word
	headers delivery.Headers
	// named holds the lower-case names that -H gives, removed ones, too.
	named map[string]bool
	data  []byte
	// dataType is the media type that curl gives data; empty without any.
	dataType string
}

// readCommand reads the words of one command, "curl" among them.
func readCommand(words []word) (delivery.Request, error) {
	c := command{headers: delivery.Headers{}, named: map[string]bool{}}
	name, rest := words[0], words[1:]
	for flags := true; len(rest) > 0; {
		w := rest[0]
		rest = rest[1:]
		var err error
		switch {
		case flags && w.text == "--":
			flags = false
		case flags && strings.HasPrefix(w.text, "--"):
			rest, err = c.long(w, rest)
		case flags && strings.HasPrefix(w.text, "-"):
			rest, err = c.short(w, rest)
		default:
			err = c.setURL(w)
		}
		if err != nil {
			return delivery.Request{}, err
		}
	}
	if c.url == nil {
		return delivery.Request{}, name.errorf("the command has no URL")
	}
	return c.request(), nil
}

// request fills in what curl itself would: the method, the scheme and the type of
// the data. Other headers of its own say nothing about the delivery.
func (c *command) request() delivery.Request {
	r := delivery.Request{Method: c.method, URL: c.url.text, Headers: c.headers, Body: c.data}
	if r.Method == "" {
		r.Method = "GET"
		if c.dataType != "" {
			r.Method = "POST"
		}
	}
	if !strings.Contains(r.URL, "://") {
		r.URL = "http://" + r.URL
	}
	if c.dataType != "" && !c.named["content-type"] {
		r.Headers = append(r.Headers, delivery.Header{Name: "Content-Type", Value: c.dataType})
	}
	return r
}

func (c *command) long(flag word, rest []word) ([]word, error) {
	name := strings.TrimPrefix(flag.text, "--")
	kind := kindOf(name)
	// Any switch can be switched off, and none of those that matter is one.
	if plain, negated := strings.CutPrefix(name, "no-"); negated && kind == flagUnknown && kindOf(plain) == flagIgnored {
		kind = flagIgnored
	}
	if !kind.takesValue() {
		return rest, c.apply(kind, flag, flag.text, flag)
	}
	if len(rest) == 0 {
		return nil, flag.errorf("%s needs a value", flag.text)
	}
	return rest[1:], c.apply(kind, flag, flag.text, rest[0])
}

// short reads a word of one-letter flags, the last of which may have its value in
// the same word.
func (c *command) short(flags word, rest []word) ([]word, error) {
	if flags.text == "-" {
		return nil, flags.errorf("- is no flag")
	}
	for i := 1; i < len(flags.text); i++ {
		flag := "-" + flags.text[i:i+1]
		kind := kindOf(longName(flags.text[i]))
		if !kind.takesValue() {
			if err := c.apply(kind, flags, flag, flags); err != nil {
				return nil, err
			}
			continue
		}
		if value := flags.text[i+1:]; value != "" {
			return rest, c.apply(kind, flags, flag, word{place: flags.place, text: value})
		}
		if len(rest) == 0 {
			return nil, flags.errorf("%s needs a value", flag)
		}
		return rest[1:], c.apply(kind, flags, flag, rest[0])
	}
	return rest, nil
}

// apply does what a flag says. It stands at the word at, and value is its value,
// where it has one.
func (c *command) apply(kind flagKind, at word, flag string, value word) error {
	switch kind {
	case flagIgnored, flagIgnoredValue:
	case flagHead:
		c.method = "HEAD"
	case flagMethod:
		c.method = value.text
	case flagHeader:
		return c.addHeader(flag, value)
	case flagData, flagRaw, flagJSON:
		return c.addData(kind, flag, value)
	case flagURL:
		return c.setURL(value)
	case flagForm:
		return at.errorf("the body that %s makes cannot be told from the command: give it with --payload", flag)
	case flagUpload:
		return at.errorf("%s sends the file %q, which is not in the capture: give it with --payload", flag, value.text)
	case flagGet:
		return at.errorf("%s puts the data into the URL, and a delivery has a body", flag)
	case flagNext:
		return at.errorf("%s adds a second request: write it as a command of its own", flag)
	case flagConfig:
		return at.errorf("%s reads flags from a file, which is not in the capture", flag)
	default:
		name, _, _ := strings.Cut(flag, "=")
		return at.errorf("unknown curl flag %q", name)
	}
	return nil
}

func (c *command) setURL(value word) error {
	if c.url != nil {
		return value.errorf("a second URL: quote what belongs to a flag, and write a second request as a command of its own")
	}
	c.url = &value
	return nil
}

func (c *command) addHeader(flag string, value word) error {
	if strings.HasPrefix(value.text, "@") {
		return value.errorf("%s reads headers from the file %q, which is not in the capture", flag, value.text[1:])
	}
	text := value.text
	// A name with ; and nothing more is how curl is asked for an empty value.
	bare, empty := strings.CutSuffix(text, ";")
	if empty = empty && !strings.Contains(text, ":"); empty {
		text = bare + ":"
	}
	line, fault := parseHeader(text)
	if fault != nil {
		return value.errorf("%s: %s", flag, fault.Msg)
	}
	c.named[strings.ToLower(line.Name)] = true
	// A name with a colon and nothing more takes a header of curl's own away.
	if line.Value != "" || empty {
		c.headers = append(c.headers, line)
	}
	return nil
}

func (c *command) addData(kind flagKind, flag string, value word) error {
	if file, isFile := strings.CutPrefix(value.text, "@"); isFile && kind != flagRaw {
		return value.errorf("%s reads the body from the file %q, which is not in the capture: give it with --payload",
			flag, file)
	}
	if c.dataType != "" && kind != flagJSON {
		c.data = append(c.data, '&')
	}
	c.data = append(c.data, value.text...)
	switch {
	case kind == flagJSON:
		c.dataType = "application/json"
	case c.dataType == "":
		c.dataType = "application/x-www-form-urlencoded"
	}
	return nil
}
