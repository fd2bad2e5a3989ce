// Package suggest finds, for a word that nobody knows, the known ones that were
// probably meant. It guesses and never decides: nothing is run on its word.
package suggest

import (
	"cmp"
	"slices"
	"strings"

	"github.com/agnivade/levenshtein"
)

// Nearest returns the known word that was probably meant, or "" when none is near
// enough. Case does not count.
func Nearest(word string, known []string) string {
	if near := Near(word, known, 1); len(near) > 0 {
		return near[0]
	}
	return ""
}

// Near returns up to n known words that were probably meant, the nearest first.
// A word that a known dotted path ends in counts as near to that path.
func Near(word string, known []string, n int) []string {
	type candidate struct {
		word     string
		distance int
	}
	var candidates []candidate
	limit := max(2, len(word)/3)
	for _, k := range known {
		if d := distance(word, k); d <= limit {
			candidates = append(candidates, candidate{k, d})
		}
	}
	slices.SortStableFunc(candidates, func(a, b candidate) int { return cmp.Compare(a.distance, b.distance) })
	var near []string
	for _, c := range candidates[:min(n, len(candidates))] {
		near = append(near, c.word)
	}
	return near
}

func distance(word, known string) int {
	word, known = strings.ToLower(word), strings.ToLower(known)
	switch {
	case word == "":
		return len(known)
	case strings.HasSuffix(known, "."+word):
		return 1
	case strings.HasPrefix(known, word):
		return 2
	}
	return levenshtein.ComputeDistance(word, known)
}
