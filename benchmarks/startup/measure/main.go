//go:build unix

// Command measure runs command lines in turn, many times, and prints a table of how long
// each took, and how that compares with the first:
//
//	measure -runs 200 'hello=./hello' 'm2m version=./m2m version'
//
// A command line is run by sh where it holds a pipe. Output is dropped.
package main

import (
	"flag"
	"fmt"
	"log"
	"os/exec"
	"slices"
	"strings"
	"time"
)

func main() {
	runs := flag.Int("runs", 200, "run each command line `N` times")
	flag.Parse()
	names, commands := make([]string, flag.NArg()), make([]string, flag.NArg())
	spans := make([][]float64, flag.NArg())
	for i, argument := range flag.Args() {
		names[i], commands[i], _ = strings.Cut(argument, "=")
	}
	for range *runs {
		for i, command := range commands {
			took, err := run(command)
			if err != nil {
				log.Fatalf("%s: %v", names[i], err)
			}
			spans[i] = append(spans[i], took)
		}
	}
	fmt.Printf("| median of %d | ms | times the first |\n|---|---:|---:|\n", *runs)
	for i, name := range names {
		fmt.Printf("| %s | %.2f | %.2f |\n", name, median(spans[i]), median(spans[i])/median(spans[0]))
	}
}

// run returns how long a command took, in milliseconds.
func run(line string) (float64, error) {
	words := strings.Fields(line)
	if strings.Contains(line, "|") {
		words = []string{"sh", "-c", line}
	}
	command := exec.Command(words[0], words[1:]...)
	began := time.Now()
	err := command.Run()
	return float64(time.Since(began).Microseconds()) / 1000, err
}

func median(values []float64) float64 { return slices.Sorted(slices.Values(values))[len(values)/2] }
