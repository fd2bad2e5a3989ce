// Package report writes what a run found into files: JUnit XML, which the CI servers
// show, and pages of HTML for people.
//
// It judges nothing, and leaves no half a report behind: a file is there whole, or as it
// was before. A page loads nothing and runs no script.
package report

import (
	"bufio"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"strconv"
	"strings"
	"time"
)

// Suite is what a report says of its cases as a whole.
type Suite struct {
	Name string
	// Started is when the run began; zero leaves it out.
	Started time.Time
}

// JUnitCase is one result. It passed, unless Failure, Error or Skipped says otherwise.
type JUnitCase struct {
	Name string
	// Class groups cases, as a package does in Java.
	Class string
	// Time is how long it took; zero leaves it out.
	Time time.Duration
	// Failure is what was wrong; nil when nothing was.
	Failure *JUnitFailure
	// Error is why it could not be told; empty when it could.
	Error string
	// Skipped is why it was not run; empty when it was.
	Skipped string
	// Output is what there is to say of a case that passed.
	Output string
}

// JUnitFailure is what was wrong in a case.
type JUnitFailure struct {
	// Message is one line, Type the kind of failure in a word, Text all there is to
	// say.
	Message, Type, Text string
}

// JUnit is a report that is being written, in as much memory for a million cases
// as for one. It is not safe for concurrent use.
//
// What stands in a case is kept as it is, but for characters that XML has no form
// for: those become U+FFFD.
type JUnit struct {
	suite Suite
	out   *destination
	// cases waits in a file, since the report begins with how many there are.
	cases    *os.File
	buffer   *bufio.Writer
	encoder  *xml.Encoder
	tests    int
	failures int
	errors   int
	skipped  int
	time     time.Duration
	err      error
	done     bool
}

// NewJUnit begins a report. An error means that it could not be written to path in
// the end; nothing is there yet when it returns. One of Close and Discard has to
// follow.
func NewJUnit(path string, suite Suite) (*JUnit, error) {
	out, err := openDestination(path)
	if err != nil {
		return nil, err
	}
	cases, err := out.scratch()
	if err != nil {
		return nil, errors.Join(out.refused(err), out.close())
	}
	// Where an open file needs no name, not even a killed run leaves this one behind.
	_ = os.Remove(cases.Name())
	buffer := bufio.NewWriterSize(cases, 64<<10)
	// Given the buffer as such, the encoder would empty it after every case.
	encoder := xml.NewEncoder(struct{ io.Writer }{buffer})
	encoder.Indent("    ", "  ")
	return &JUnit{suite: suite, out: out, cases: cases, buffer: buffer, encoder: encoder}, nil
}

type xmlCase struct {
	XMLName xml.Name    `xml:"testcase"`
	Class   string      `xml:"classname,attr"`
	Name    string      `xml:"name,attr"`
	Time    string      `xml:"time,attr,omitempty"`
	Failure *xmlFailure `xml:"failure"`
	Error   *xmlReason  `xml:"error"`
	Skipped *xmlReason  `xml:"skipped"`
	Output  *xmlText    `xml:"system-out"`
}

type xmlText struct {
	Text string `xml:",innerxml"`
}

type xmlFailure struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr"`
	Text    string `xml:",innerxml"`
}

type xmlReason struct {
	Message string `xml:"message,attr"`
}

// Case adds a result. What goes wrong in writing it is Close's error.
func (j *JUnit) Case(c JUnitCase) {
	if j.done || j.err != nil {
		return
	}
	element := xmlCase{Class: c.Class, Name: c.Name, Time: seconds(c.Time)}
	j.tests++
	j.time += c.Time
	if c.Failure != nil {
		j.failures++
		element.Failure = &xmlFailure{c.Failure.Message, c.Failure.Type, escape(c.Failure.Text)}
	}
	if c.Error != "" {
		j.errors++
		element.Error = &xmlReason{c.Error}
	}
	if c.Skipped != "" {
		j.skipped++
		element.Skipped = &xmlReason{c.Skipped}
	}
	if c.Output != "" {
		element.Output = &xmlText{escape(c.Output)}
	}
	j.err = j.encoder.Encode(element)
}

// Close writes the report and ends it. A second Close returns what the first did.
func (j *JUnit) Close() error {
	if j.done {
		return j.err
	}
	if j.err == nil {
		j.err = j.buffer.Flush()
	}
	if j.err == nil {
		j.err = j.out.write(j.writeTo)
	}
	if j.err != nil {
		j.err = j.out.refused(j.err)
	}
	j.Discard()
	return j.err
}

// Discard ends the report without writing it. After Close it does nothing.
func (j *JUnit) Discard() {
	if j.done {
		return
	}
	j.done = true
	// Nobody misses what is thrown away here.
	_ = j.cases.Close()
	_ = os.Remove(j.cases.Name())
	_ = j.out.close()
}

func (j *JUnit) writeTo(w io.Writer) error {
	attributes := []xml.Attr{
		attribute("name", j.suite.Name),
		attribute("tests", strconv.Itoa(j.tests)),
		attribute("failures", strconv.Itoa(j.failures)),
		attribute("errors", strconv.Itoa(j.errors)),
		attribute("skipped", strconv.Itoa(j.skipped)),
	}
	if j.time > 0 {
		attributes = append(attributes, attribute("time", seconds(j.time)))
	}
	all := xml.StartElement{Name: xml.Name{Local: "testsuites"}, Attr: attributes}
	suite := xml.StartElement{Name: xml.Name{Local: "testsuite"}, Attr: attributes}
	if !j.suite.Started.IsZero() {
		suite.Attr = append(suite.Attr, attribute("timestamp", j.suite.Started.UTC().Format(time.RFC3339)))
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	encoder := xml.NewEncoder(w)
	encoder.Indent("", "  ")
	if err := errors.Join(encoder.EncodeToken(all), encoder.EncodeToken(suite), encoder.Flush()); err != nil {
		return err
	}
	if j.tests > 0 {
		if _, err := io.WriteString(w, "\n"); err != nil {
			return err
		}
	}
	if _, err := j.cases.Seek(0, io.SeekStart); err != nil {
		return err
	}
	if _, err := io.Copy(w, j.cases); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n  </testsuite>\n</testsuites>\n")
	return err
}

func attribute(name, value string) xml.Attr {
	return xml.Attr{Name: xml.Name{Local: name}, Value: value}
}

func seconds(d time.Duration) string {
	if d <= 0 {
		return ""
	}
	return strconv.FormatFloat(d.Seconds(), 'f', 3, 64)
}

// escape returns text as XML, with the ends of its lines left for people to see.
func escape(text string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(text)) // a Builder always takes it
	return strings.ReplaceAll(b.String(), "&#xA;", "\n")
}
