// Command m2m tests an integration with M2M's webhooks: it sends signed events,
// receives and verifies them, judges captured ones and answers data requests.
package main

import (
	"os"

	"github.com/leapfinancial/m2m/cmd"
)

func main() {
	os.Exit(cmd.Main())
}
