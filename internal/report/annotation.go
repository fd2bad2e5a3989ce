package report

import (
	"fmt"
	"io"
	"strings"
)

// Level is how bad an annotation is.
type Level string

// The levels, in the words of GitHub's workflow commands.
const (
	Warning Level = "warning"
	Failure Level = "error"
)

// Annotation is a remark that GitHub shows beside a run.
type Annotation struct {
	Level Level
	Title string
	// Text may have several lines.
	Text string
}

// Annotate writes an annotation as a workflow command of GitHub Actions. Whatever the
// title and the text hold, it is one line and one command.
func Annotate(w io.Writer, a Annotation) {
	text := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	property := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
	// The log is not the result: where it cannot be written, the run goes on.
	_, _ = fmt.Fprintf(w, "::%s title=%s::%s\n", a.Level, property.Replace(a.Title), text.Replace(a.Text))
}
