// Command hello does what the smallest command line on the same four packages does:
// one command that prints a line. It is what m2m's start-up is measured against.
package main

import (
	"fmt"
	"os"

	"github.com/fatih/color"
	"github.com/google/uuid"
	"github.com/spf13/cobra"
	"github.com/spf13/viper"
)

func main() {
	root := &cobra.Command{Use: "hello", RunE: func(*cobra.Command, []string) error {
		settings := viper.New()
		settings.SetDefault("word", "hello")
		_, err := fmt.Println(color.New(color.Bold).Sprint(settings.GetString("word")), uuid.Nil)
		return err
	}}
	if root.Execute() != nil {
		os.Exit(1)
	}
}
