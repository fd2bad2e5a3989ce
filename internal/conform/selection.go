package conform

import (
	"path"
	"slices"
)

// Select returns the cases whose ids match one of only, or all where that is empty, and
// none of skip. The patterns are globs: "reject.*". The second result is the first
// pattern that matches no case, or that is no glob; empty when all do.
func Select(cases []Case, only, skip []string) (selected []Case, stranger string) {
	matches := func(patterns []string, id string) bool {
		return slices.ContainsFunc(patterns, func(pattern string) bool {
			ok, err := path.Match(pattern, id)
			return ok && err == nil
		})
	}
	for _, pattern := range slices.Concat(only, skip) {
		if !slices.ContainsFunc(cases, func(c Case) bool { return matches([]string{pattern}, c.ID) }) {
			return nil, pattern
		}
	}
	for _, c := range cases {
		if (len(only) == 0 || matches(only, c.ID)) && !matches(skip, c.ID) {
			selected = append(selected, c)
		}
	}
	return selected, ""
}
