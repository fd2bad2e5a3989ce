//go:build unix

// Command measure runs commands in turn, several times, and prints a table of how
// long each took and how much memory it had at its peak:
//
//	measure -records 300000 'm2m=m2m verify -q FILE' 'node=node baseline.mjs FILE'
//
// The first is what the others are compared with. A command's exit code may be 1,
// because that is a verifier's answer; its output is dropped.
package main

import (
	"errors"
	"flag"
	"fmt"
	"log"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"
)

type contender struct {
	name    string
	command []string
	seconds []float64
	peakMiB float64
}

func main() {
	records := flag.Int("records", 300_000, "the commands verify `N` records")
	runs := flag.Int("runs", 3, "run every command `N` times")
	flag.Parse()
	var all []*contender
	for _, argument := range flag.Args() {
		name, command, _ := strings.Cut(argument, "=")
		all = append(all, &contender{name: name, command: strings.Fields(command)})
	}
	for range *runs {
		for _, c := range all {
			if err := c.run(); err != nil {
				log.Fatal(err)
			}
		}
	}
	fmt.Printf("| median of %d | seconds | records/s | times m2m | peak MiB |\n|---|---:|---:|---:|---:|\n", *runs)
	for _, c := range all {
		seconds := c.median()
		fmt.Printf("| %s | %.2f | %.0f | %.1f | %.0f |\n",
			c.name, seconds, float64(*records)/seconds, seconds/all[0].median(), c.peakMiB)
	}
}

func (c *contender) run() error {
	cmd := exec.Command(c.command[0], c.command[1:]...)
	start := time.Now()
	err := cmd.Run()
	c.seconds = append(c.seconds, time.Since(start).Seconds())
	var exit *exec.ExitError
	if err != nil && (!errors.As(err, &exit) || exit.ExitCode() != 1) {
		return fmt.Errorf("running %s: %w", c.name, err)
	}
	usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		return errors.New("the system does not tell the peak memory")
	}
	peak := float64(usage.Maxrss) / 1024
	if runtime.GOOS == "darwin" { // which counts bytes
		peak /= 1024
	}
	c.peakMiB = max(c.peakMiB, peak)
	return nil
}

func (c *contender) median() float64 {
	return slices.Sorted(slices.Values(c.seconds))[len(c.seconds)/2]
}
