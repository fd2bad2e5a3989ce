//go:build unix

// Command measure starts receivers, sends each the same signed deliveries in turn,
// several times, and prints a table of how many a second each took and what one cost
// it in processor time:
//
//	measure 'bare=./baseline READY' 'm2m=./m2m listen --port 0 --json --ready-file READY'
//
// READY stands for the file that a receiver writes its URL to. The first receiver is
// what the others are compared with. Their output is dropped.
package main

import (
	"errors"
	"flag"
	"fmt"
	"log"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"
)

type receiver struct {
	name    string
	process *exec.Cmd
	address string
	// rates are the deliveries a second of each round.
	rates      []float64
	deliveries int
	cpu        time.Duration
	peakMiB    float64
}

func main() {
	rounds := flag.Int("rounds", 15, "load each receiver `N` times")
	span := flag.Duration("for", time.Second, "load it for `DURATION` each time")
	connections := flag.Int("connections", 16, "send over `N` connections at once")
	size := flag.Int("size", 0, "make bodies of at least `BYTES`")
	flag.Parse()
	all, err := measure(flag.Args(), *rounds, *span, *connections, *size)
	for _, one := range all {
		err = errors.Join(err, one.end())
	}
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("| median of %d | deliveries/s | of the first | CPU µs each | peak MiB |\n|---|---:|---:|---:|---:|\n", *rounds)
	for _, one := range all {
		fmt.Printf("| %s | %.0f | %.0f %% | %.1f | %.0f |\n", one.name, median(one.rates), 100*one.ratio(all[0]),
			float64(one.cpu.Microseconds())/float64(one.deliveries), one.peakMiB)
	}
}

// measure starts the receivers and loads one after the other. Those that it returns
// are running, with an error, too.
func measure(arguments []string, rounds int, span time.Duration, connections, size int) (all []*receiver, err error) {
	for _, argument := range arguments {
		name, command, _ := strings.Cut(argument, "=")
		one, err := start(name, strings.Fields(command))
		if err != nil {
			return all, err
		}
		all = append(all, one)
	}
	secret := os.Getenv("M2M_WEBHOOK_SECRET")
	for range rounds {
		for _, one := range all {
			requests := signed(secret, one.address, size, time.Now())
			count, took, err := load(one.address, requests, connections, span)
			if err != nil {
				return all, fmt.Errorf("%s: %w", one.name, err)
			}
			one.deliveries += count
			one.rates = append(one.rates, float64(count)/took.Seconds())
		}
	}
	return all, nil
}

// start starts a receiver and waits until its port is open.
func start(name string, command []string) (*receiver, error) {
	dir, err := os.MkdirTemp("", "measure")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	ready := filepath.Join(dir, "ready")
	for i, word := range command {
		if word == "READY" {
			command[i] = ready
		}
	}
	one := &receiver{name: name, process: exec.Command(command[0], command[1:]...)}
	if err := one.process.Start(); err != nil {
		return nil, err
	}
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		text, err := os.ReadFile(ready)
		if err != nil || !strings.HasSuffix(string(text), "\n") {
			continue
		}
		target, err := url.Parse(strings.TrimSpace(string(text)))
		if err != nil {
			return nil, err
		}
		one.address = target.Host
		return one, nil
	}
	return nil, fmt.Errorf("%s did not open its port", name)
}

// end ends a receiver, and sees what it used.
func (r *receiver) end() error {
	if err := r.process.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	_ = r.process.Wait() // the plain one ends by the signal
	usage, ok := r.process.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		return fmt.Errorf("the system does not tell what %s used", r.name)
	}
	r.peakMiB = float64(usage.Maxrss) / 1024
	if runtime.GOOS == "darwin" { // which counts bytes
		r.peakMiB /= 1024
	}
	r.cpu = r.process.ProcessState.UserTime() + r.process.ProcessState.SystemTime()
	return nil
}

// ratio compares round by round, since a machine is not equally fast all the time.
func (r *receiver) ratio(other *receiver) float64 {
	var ratios []float64
	for i := range r.rates {
		ratios = append(ratios, r.rates[i]/other.rates[i])
	}
	return median(ratios)
}

func median(values []float64) float64 { return slices.Sorted(slices.Values(values))[len(values)/2] }
