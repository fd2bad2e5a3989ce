// Command baseline loads a URL with vegeta's library as its README shows it: one request,
// always the same, and nothing signed. It is what "m2m load" is measured against, and
// meant to stay plain.
package main

import (
	"flag"
	"fmt"
	"log"
	"net/http"
	"os"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"
)

func main() {
	url := flag.String("to", "", "load `URL`")
	body := flag.String("body", "", "send the bytes of `FILE`")
	span := flag.Duration("duration", time.Second, "for `DURATION`")
	connections := flag.Uint64("connections", 16, "over `N` connections")
	flag.Parse()
	payload, err := os.ReadFile(*body)
	if err != nil {
		log.Fatal(err)
	}
	targets := vegeta.NewStaticTargeter(vegeta.Target{
		Method: http.MethodPost, URL: *url, Body: payload,
		Header: http.Header{"Content-Type": {"application/json"}, "X-M2M-Event": {"operation.created"}},
	})
	attacker := vegeta.NewAttacker(vegeta.MaxWorkers(*connections))
	var metrics vegeta.Metrics
	// A rate of zero is as fast as can be.
	for result := range attacker.Attack(targets, vegeta.Rate{}, *span, "") {
		metrics.Add(result)
	}
	metrics.Close()
	fmt.Println(metrics.Requests, metrics.Rate, metrics.Latencies.P99, metrics.Errors)
}
