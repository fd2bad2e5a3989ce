package cmd

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/leapfinancial/m2m/internal/delivery"
)

// version is set by the linker in a release.
var version string

// buildVersion returns the release's version, or the module's where there is one.
func buildVersion() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		return info.Main.Version
	}
	return "dev"
}

func newVersionCmd(a *app) *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Long:    "Print the version, and what it was built with and for.",
		Example: "  m2m version",
		Args:    noArguments,
		RunE: func(*cobra.Command, []string) error {
			if a.JSON {
				return a.writeVersion()
			}
			_, err := fmt.Fprintf(a.Out, "m2m %s (%s, %s/%s)\n", buildVersion(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return err
		},
	}
}

func (a *app) writeVersion() error {
	return a.writeJSON(struct {
		Type    string `json:"type"`
		Version string `json:"version"`
		Go      string `json:"go"`
		OS      string `json:"os"`
		Arch    string `json:"arch"`
	}{"version", buildVersion(), runtime.Version(), runtime.GOOS, runtime.GOARCH})
}

// writeJSON writes one record that is no delivery to stdout.
func (a *app) writeJSON(v any) error {
	line, err := delivery.EncodeLine(v)
	if err != nil {
		return err
	}
	_, err = a.Out.Write(a.held.hide(line))
	return err
}

// atMostOne refuses a second argument.
func atMostOne(name string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) <= 1 {
			return nil
		}
		return withHint(fmt.Errorf("%s takes one %s, and was given %q as well", cmd.Name(), name, args[1]), "see m2m %s --help", cmd.Name())
	}
}

func noArguments(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return withHint(fmt.Errorf("%s takes no argument, and was given %q", cmd.Name(), args[0]), "see m2m %s --help", cmd.Name())
}
