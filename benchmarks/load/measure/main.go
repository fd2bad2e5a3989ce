// Command measure is a receiver that does as little as one can, and has programs load it
// one after the other, several times. It prints a table of how many requests a second each
// of them sent, and what one cost it in processor time:
//
//	measure 'vegeta=./baseline -to URL -duration SPAN' 'm2m=./m2m load link.created --to URL --duration SPAN'
//
// The first program is what the others are compared with. Their output is dropped.
package main

import (
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os/exec"
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

type sender struct {
	name    string
	command []string
	// rates are the requests a second of each round, costs the microseconds of processor
	// time for each.
	rates, costs []float64
}

func main() {
	rounds := flag.Int("rounds", 15, "run each program `N` times")
	span := flag.Duration("for", time.Second, "for `DURATION` each time")
	flag.Parse()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	var received atomic.Int64
	go http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		received.Add(1)
		io.WriteString(w, "OK")
	}))
	words := strings.NewReplacer("URL", "http://"+listener.Addr().String()+"/", "SPAN", span.String())
	var all []*sender
	for _, argument := range flag.Args() {
		name, command, _ := strings.Cut(argument, "=")
		all = append(all, &sender{name: name, command: strings.Fields(words.Replace(command))})
	}
	for range *rounds {
		for _, one := range all {
			before := received.Load()
			program := exec.Command(one.command[0], one.command[1:]...)
			if out, err := program.CombinedOutput(); err != nil {
				log.Fatalf("%s: %v\n%s", one.name, err, out)
			}
			count := float64(received.Load() - before)
			used := program.ProcessState.UserTime() + program.ProcessState.SystemTime()
			one.rates = append(one.rates, count/span.Seconds())
			one.costs = append(one.costs, float64(used.Microseconds())/count)
		}
	}
	fmt.Printf("| median of %d | requests/s | of the first | CPU µs each |\n|---|---:|---:|---:|\n", *rounds)
	for _, one := range all {
		fmt.Printf("| %s | %.0f | %.0f %% | %.1f |\n", one.name, median(one.rates), 100*one.ratio(all[0]), median(one.costs))
	}
}

// ratio compares round by round, since a machine is not equally fast all the time.
func (s *sender) ratio(other *sender) float64 {
	var ratios []float64
	for i := range s.rates {
		ratios = append(ratios, s.rates[i]/other.rates[i])
	}
	return median(ratios)
}

func median(values []float64) float64 { return slices.Sorted(slices.Values(values))[len(values)/2] }
