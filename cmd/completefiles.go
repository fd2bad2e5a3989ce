package cmd

import (
	"cmp"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
)

// completeFiles completes a file behind other text in the same word, which not every
// shell does by itself.
func completeFiles(before, typed string) ([]string, cobra.ShellCompDirective) {
	dir, begun := filepath.Split(typed)
	entries, err := os.ReadDir(cmp.Or(dir, "."))
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	directive := cobra.ShellCompDirectiveNoFileComp
	var list []string
	for _, entry := range entries {
		name := entry.Name()
		isHidden := strings.HasPrefix(name, ".") && !strings.HasPrefix(begun, ".")
		if isHidden || !strings.HasPrefix(name, begun) || strings.ContainsAny(name, "\t\n") {
			continue
		}
		if info, err := os.Stat(filepath.Join(dir, name)); err == nil && info.IsDir() {
			name += "/"
			directive |= cobra.ShellCompDirectiveNoSpace // on to what is in it
		}
		list = append(list, before+dir+name)
	}
	return list, directive
}
