package cmd

import (
	"fmt"

	"github.com/leapfinancial/m2m/internal/deliver"
)

func faultNames() []string {
	var names []string
	for _, fault := range deliver.Faults() {
		names = append(names, fault.Name)
	}
	return names
}

// checkFault refuses a fault that would leave a delivery right: a handler that takes it
// would be blamed for that.
func (o *sendOptions) checkFault(spec deliver.Spec, round [][]byte) error {
	if o.Fault == "" {
		return nil
	}
	for _, payload := range round {
		if !spec.FaultShows(payload, o.timestamp()) {
			return withHint(fmt.Errorf("--fault %s would change nothing in this delivery", o.Fault),
				"what it breaks is not there, or -H has the last word on it")
		}
	}
	return nil
}

// listFaults is what --fault help prints.
func (o *sendOptions) listFaults() error {
	if o.app.JSON {
		for _, fault := range deliver.Faults() {
			err := o.app.writeJSON(struct {
				Type     string `json:"type"`
				Name     string `json:"name"`
				Wire     string `json:"wire"`
				Accepted bool   `json:"accepted"`
			}{"fault", fault.Name, fault.Wire, fault.Accepted})
			if err != nil {
				return err
			}
		}
		return nil
	}
	p := o.app.printer(o.app.Out)
	rows := [][]string{{p.Bold("fault"), p.Bold("a good handler"), p.Bold("what is on the wire")}}
	for _, fault := range deliver.Faults() {
		does := "refuses"
		if fault.Accepted {
			does = "accepts"
		}
		rows = append(rows, []string{fault.Name, does, fault.Wire})
	}
	p.Table(rows)
	return p.Err()
}
