package report

import (
	"bytes"
	"embed"
	"errors"
	"html/template"
	"io"
	"os"
)

//go:embed page.html page.css load.html conform.html
var pageFiles embed.FS

// Page is a report as one HTML page that loads nothing: its style and its plots are in
// it, and it has no script.
type Page struct{ out *destination }

// NewPage sees that a page can be written to path, and changes nothing there.
func NewPage(path string) (*Page, error) {
	out, err := openDestination(path)
	if err != nil {
		return nil, err
	}
	probe, err := out.scratch()
	if err == nil {
		err = errors.Join(probe.Close(), os.Remove(probe.Name()))
	}
	if err != nil {
		return nil, out.refused(errors.Join(err, out.close()))
	}
	return &Page{out}, nil
}

// Discard gives the page up. It does nothing after the page was written.
func (p *Page) Discard() {
	if p.out != nil {
		_ = p.out.close() // nothing was written
		p.out = nil
	}
}

// layout is what all pages have in common. Content is for the template that is named.
type layout struct {
	Title, Lead string
	// By is the program that made the page.
	By      string
	Content any
}

// write makes the page whole and puts it in its place. The named file has a template
// "content".
func (p *Page) write(file string, page layout) error {
	style, err := pageFiles.ReadFile("page.css")
	if err != nil {
		return err
	}
	all, err := template.New("page.html").ParseFS(pageFiles, "page.html", file)
	if err != nil {
		return err
	}
	var text bytes.Buffer
	if err := all.Execute(&text, struct {
		layout
		Style template.CSS
	}{page, template.CSS(style)}); err != nil {
		return err
	}
	out := p.out
	p.out = nil
	err = out.write(func(w io.Writer) error {
		_, err := w.Write(text.Bytes())
		return err
	})
	if err = errors.Join(err, out.close()); err != nil {
		return out.refused(err)
	}
	return nil
}
