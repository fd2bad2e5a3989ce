package conform

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/leapfinancial/m2m/internal/delivery"
)

// scout delivers one valid link.created before anything else. Where that meets a wall,
// it tries the other events, and when they meet one, too, the run is over: that no
// delivery gets to the handler is one finding, not thirty.
func (r *runner) scout(ctx context.Context) error {
	var seen []tried
	for _, c := range acceptCases()[:len(eventNames())] {
		if slices.ContainsFunc(r.left, func(left Case) bool { return left.ID == c.ID }) {
			r.watch.Started(c)
		}
		result, err := r.try(ctx, c)
		if err != nil {
			return err
		}
		record := result.Records[0]
		if record.Error != nil && len(seen) == 0 {
			r.stop = &StopError{Said: record.Error.Message, Fix: cmp.Or(record.Error.Hint, "see in its log what it does with a delivery"), Unreachable: true}
			r.meet(result.Result, record.Error.Message, r.stop.Fix)
			return nil
		}
		if said, _ := wall(record); said == "" {
			// What was seen on the way is as good as seen in its turn.
			return r.addAll(ctx, append(seen, result))
		}
		seen = append(seen, result)
		if needsTLS(record) {
			// So is the whole port, and a server of TLS breaks off longer requests.
			break
		}
	}
	first := seen[0].Result
	said, fix := wall(first.Records[0])
	r.stop = &StopError{Said: said, Fix: fix}
	r.meet(first, said, fix)
	return nil
}

// meet makes the wall the one finding: that of the first case, whether or not that was
// asked for.
func (r *runner) meet(result Result, said, fix string) {
	result.Outcome, result.Said, result.Fix = Fail, said, sentence(fix)
	r.held = append(r.held, result)
	if len(r.left) > 0 && r.left[0].ID == result.Case.ID {
		r.left = r.left[1:]
	}
}

func (r *runner) addAll(ctx context.Context, results []tried) error {
	for _, result := range results {
		if len(r.left) == 0 || r.left[0].ID != result.Case.ID || r.stop != nil {
			continue
		}
		if err := r.add(ctx, result); err != nil {
			return err
		}
	}
	return nil
}

// wall says why an answer shows that the handler was not reached, and how to mend that;
// nothing where it was, or may have been.
func wall(record delivery.Record) (said, fix string) {
	if record.Error != nil {
		return "", ""
	}
	target, err := url.Parse(record.Request.URL)
	if err != nil {
		return "", ""
	}
	answer := record.Response
	switch {
	case isRedirect(answer.Status):
		location, _ := answer.Headers.Get("Location")
		return throughRedirect(target, location)
	case needsTLS(record):
		return "the target needs HTTPS", "pass --to https://" + target.Host + target.RequestURI()
	case answer.Status == http.StatusNotFound || answer.Status == http.StatusGone:
		return fmt.Sprintf("there is no handler at the path %s: every delivery is answered %d", target.EscapedPath(), answer.Status),
			"name the path of your handler: --to " + target.Scheme + "://" + target.Host + "/PATH"
	case answer.Status == http.StatusMethodNotAllowed || answer.Status == http.StatusNotImplemented:
		return fmt.Sprintf("the path %s takes no POST: every delivery is answered %d", target.EscapedPath(), answer.Status),
			"name the path of your handler with --to, and route POST to it"
	}
	return "", ""
}

func throughRedirect(target *url.URL, location string) (said, fix string) {
	to, err := target.Parse(location)
	said = fmt.Sprintf("every delivery is redirected to %s, and M2M is not documented to follow redirects", location)
	switch {
	case err != nil || location == "":
		return "every delivery is answered by a redirect that leads nowhere", "have the handler answer itself"
	case target.Scheme == "http" && to.Scheme == "https":
		return said, "the target needs HTTPS: pass --to " + to.String()
	case to.Host == target.Host && to.Path != target.Path && sameButSlash(to.Path, target.Path):
		return said, "name the path as the handler has it: --to " + to.String()
	}
	return said, "if that is a login page, leave the handler's path out of it: a delivery is authenticated by its signature"
}

// sentence makes a hint one.
func sentence(hint string) string {
	return strings.ToUpper(hint[:1]) + hint[1:] + "."
}

func sameButSlash(a, b string) bool { return a == b+"/" || b == a+"/" }

// needsTLS knows the answers that servers give in plain HTTP on a port of TLS: nginx,
// Apache and Go's net/http say 400 in words, others 426.
func needsTLS(record delivery.Record) bool {
	if record.Error != nil || !strings.HasPrefix(record.Request.URL, "http:") {
		return false
	}
	answer := record.Response
	words := bytes.ToUpper(answer.Body[:min(len(answer.Body), 4096)])
	// HTTPS alone would do for a link in a framework's own 400.
	inWords := bytes.Contains(words, []byte("PLAIN HTTP")) || bytes.Contains(words, []byte("HTTP REQUEST TO AN HTTPS"))
	return answer.Status == http.StatusUpgradeRequired || answer.Status == http.StatusBadRequest && inWords
}
