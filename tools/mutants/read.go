package main

import (
	"fmt"
	"os"
	"strings"
)

// mutant is one way to break the product.
type mutant struct {
	// file is where, from the module's root, and what says what is broken.
	file, what string
	// before stands in the file once, and after takes its place.
	before, after string
	// test has to fail, in the package pkg: a test, several with | between, or
	// TestScripts and a script.
	test, pkg string
}

// readMutants reads a file of mutants: paragraphs of a line "FILE: WHAT", the lines
// that are taken out and put in, marked with - and +, and a line "PACKAGE TEST". Lines
// that begin with # are passed over.
func readMutants(name string) (mutants []mutant, err error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	for paragraph := range strings.SplitSeq(string(data), "\n\n") {
		var m mutant
		var plain []string
		for line := range strings.SplitSeq(strings.Trim(paragraph, "\n"), "\n") {
			switch {
			case strings.HasPrefix(line, "-"):
				m.before += line[1:] + "\n"
			case strings.HasPrefix(line, "+"):
				m.after += line[1:] + "\n"
			case line != "" && line[0] != '#':
				plain = append(plain, line)
			}
		}
		if len(plain) == 0 && m.before == "" {
			continue
		}
		if len(plain) != 2 || m.before == "" {
			return nil, fmt.Errorf("%s: not a mutant:\n%s", name, paragraph)
		}
		m.file, m.what, _ = strings.Cut(plain[0], ": ")
		m.pkg, m.test, _ = strings.Cut(plain[1], " ")
		if m.what == "" || m.test == "" {
			return nil, fmt.Errorf("%s: half a mutant:\n%s", name, paragraph)
		}
		mutants = append(mutants, m)
	}
	return mutants, nil
}
