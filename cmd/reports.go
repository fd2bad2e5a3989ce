package cmd

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/leapfinancial/m2m/internal/load"
	"github.com/leapfinancial/m2m/internal/report"
	"github.com/leapfinancial/m2m/internal/term"
)

// reportFile is one --report.
type reportFile struct {
	Kind, File string
}

// reportsValue is a list of KIND=FILE.
type reportsValue struct {
	list  *[]reportFile
	kinds []string
}

func (v reportsValue) String() string { return "" }

func (v reportsValue) Type() string { return "report" }

func (v reportsValue) Set(text string) error {
	kind, file, found := strings.Cut(text, "=")
	switch {
	case !slices.Contains(v.kinds, kind):
		return unknown("kind of report", kind, v.kinds)
	case !found || file == "":
		return fmt.Errorf("%q names no file: write %s=FILE", text, kind)
	case file == "-":
		return withHint(fmt.Errorf("%q: a report takes a file, and - is none", text), "%s=/dev/stdout writes it to standard output", kind)
	case slices.ContainsFunc(*v.list, func(other reportFile) bool { return filepath.Clean(other.File) == filepath.Clean(file) }):
		return fmt.Errorf("two reports in the same file %q", file)
	}
	*v.list = append(*v.list, reportFile{kind, file})
	return nil
}

// junits are the JUnit reports of a run.
type junits []*report.JUnit

// openJUnits begins the JUnit reports among the files.
func openJUnits(files []reportFile, suite report.Suite) (junits, error) {
	var all junits
	for _, file := range files {
		if file.Kind != "junit" {
			continue
		}
		junit, err := report.NewJUnit(file.File, suite)
		if err != nil {
			all.discard()
			return nil, err
		}
		all = append(all, junit)
	}
	return all, nil
}

func (j junits) add(c report.JUnitCase) {
	for _, junit := range j {
		junit.Case(c)
	}
}

func (j junits) close() error {
	for _, junit := range j {
		if err := junit.Close(); err != nil {
			return err
		}
	}
	return nil
}

func (j junits) discard() {
	for _, junit := range j {
		junit.Discard()
	}
}

// pages are the HTML reports of a run.
type pages []*report.Page

// openPages sees that the HTML reports among the files can be written, before anything
// is sent.
func openPages(files []reportFile) (pages, error) {
	var all pages
	for _, file := range files {
		if file.Kind != "html" {
			continue
		}
		page, err := report.NewPage(file.File)
		if err != nil {
			all.discard()
			return nil, err
		}
		all = append(all, page)
	}
	return all, nil
}

func (p pages) load(found load.Report, by string) error {
	found.Failures = slices.Clone(found.Failures)
	for i := range found.Failures {
		found.Failures[i].Message = term.Safe(found.Failures[i].Message)
	}
	for _, page := range p {
		if err := page.Load(found, by); err != nil {
			return err
		}
	}
	return nil
}

func (p pages) discard() {
	for _, page := range p {
		page.Discard()
	}
}
