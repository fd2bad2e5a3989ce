package cmd

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/leapfinancial/m2m/internal/deliver"
)

// awaitFlags are the flags of --await-reply.
type awaitFlags struct {
	// Reply is how long a reply is waited for; zero is not at all.
	Reply time.Duration
	Place replyPlace
}

func (f *awaitFlags) add(flags *pflag.FlagSet) {
	flags.Var(spanValue{&f.Reply}, "await-reply", "serve the replyEndpoint of data requests, and wait `DURATION` for each reply")
	f.Place.add(flags)
}

// check refuses what means nothing.
func (f *awaitFlags) check(o *sendOptions, flags *pflag.FlagSet) error {
	fault, broken := deliver.FindFault(o.Fault)
	switch {
	case f.Reply == 0 && flags.Changed("await-reply"):
		return errors.New("--await-reply 0s: it has to be more than 0")
	case f.Reply == 0 && (f.Place.Addr != nil || f.Place.URL != nil):
		return withHint(errors.New("--reply-addr and --reply-url belong to --await-reply"), "pass --await-reply 10s")
	case f.Reply == 0:
		return nil
	case o.Print != "":
		return withHint(errors.New("--await-reply and --print exclude each other"), "nothing is sent, so no reply can come")
	case broken && (!fault.Accepted || fault.Name == "unknown-event"):
		return withHint(fmt.Errorf("--await-reply and --fault %s exclude each other", fault.Name), "a good handler does not answer such a data request")
	}
	if err := f.Place.check(); err != nil {
		return err
	}
	for _, set := range append(append([]string{}, o.Sets...), o.SetStrings...) {
		if path, _, _ := strings.Cut(set, "="); path == replyEndpointPath {
			return withHint(errors.New("--await-reply and --set "+replyEndpointPath+" exclude each other"), "--reply-url names the place under another host")
		}
	}
	return nil
}
