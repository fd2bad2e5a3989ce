// Package suggest finds, for a word that nobody knows, the known ones that were
// probably meant. It guesses and never decides: nothing is run on its word.
package suggest

import (
	"cmp"
	"slices"
	"strings"
	"unicode/utf8"

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
// A word that a known dotted path ends in counts as near to that path, and one of three
// letters or more that a known word begins with as near to that word.
func Near(word string, known []string, n int) []string {
	type candidate struct {
		word     string
		distance int
	}
	var candidates []candidate
	for _, k := range known {
		if d, near := distance(word, k); near {
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

// leastPrefix is how many letters have to be right for a word to be half typed.
const leastPrefix = 3

// distance returns how far apart the words are, and whether that is near: up to a third
// of their letters may be wrong, and a half typed word is nearer than a wrong one. Among
// few letters another word is soon found, so that of a short word the first letter has
// to be right, too: ksh is not zsh.
func distance(word, known string) (d int, near bool) {
	word, known = letters(word), letters(known)
	switch {
	case word == "" || known == "":
		return 0, false
	case word == known:
		return 0, true
	case strings.HasPrefix(known, word) && utf8.RuneCountInString(word) >= leastPrefix:
		return 1, true
	case strings.HasSuffix(known, "."+word), swapped(word, known):
		return 2, true
	}
	longer := max(utf8.RuneCountInString(word), utf8.RuneCountInString(known))
	if longer <= 4 && word[0] != known[0] {
		return 0, false
	}
	d = levenshtein.ComputeDistance(word, known)
	return 1 + d, d <= max(1, longer/3)
}

// letters returns what of a word or a flag counts.
func letters(word string) string { return strings.ToLower(strings.TrimLeft(word, "-")) }

// swapped holds when two letters that stand side by side have changed places, which is
// one slip of the fingers and two edits.
func swapped(word, known string) bool {
	if len(word) != len(known) {
		return false
	}
	for i := range len(word) - 1 {
		if word[i] != known[i] {
			return word[i] == known[i+1] && word[i+1] == known[i] && word[i+2:] == known[i+2:]
		}
	}
	return false
}
