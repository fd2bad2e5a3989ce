package conform_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/leapfinancial/m2m/internal/conform"
)

// TestResultsHoldNoSecret runs against a handler that takes anything, and sends its key to
// whoever asks: then there is most to tell.
func TestResultsHoldNoSecret(t *testing.T) {
	t.Parallel()
	credulous := func(_ string, w http.ResponseWriter, r *http.Request) {
		var payload struct {
			Data struct{ ReplyEndpoint string }
		}
		if json.NewDecoder(r.Body).Decode(&payload) == nil && payload.Data.ReplyEndpoint != "" {
			if err := (reply{method: http.MethodPut, body: complete, key: apiKey}).send(context.WithoutCancel(r.Context()), payload.Data.ReplyEndpoint); err != nil {
				t.Error(err)
			}
		}
		_, _ = io.WriteString(w, "OK")
	}
	for name, behave := range map[string]behaviour{"credulous": credulous, "good": good(t), "refuses all": status(http.StatusUnauthorized)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := serve(t, behave)
			r.run(t)
			if name == "credulous" && r.result(t, "data-request.forged").Outcome != conform.Fail {
				t.Error("the key was not sent")
			}
			signature := regexp.MustCompile(`[0-9a-f]{64}`)
			for _, result := range r.results {
				whole := fmt.Sprintf("%+v", result)
				encoded, err := json.Marshal(result.Records)
				if err != nil {
					t.Fatal(err)
				}
				for what, text := range map[string]string{"the webhook secret": secret, "the API key": apiKey} {
					if strings.Contains(whole+string(encoded), text) {
						t.Errorf("%s: the result holds %s", result.Case.ID, what)
					}
				}
				// What was sent is in the record of it, and nowhere else.
				result.Records = nil
				if told := fmt.Sprintf("%+v", result); signature.MatchString(told) {
					t.Errorf("%s: a whole signature in %s", result.Case.ID, told)
				}
			}
		})
	}
}
