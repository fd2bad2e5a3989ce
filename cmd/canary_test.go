package cmd

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/leapfinancial/m2m/internal/sign"
)

// The canaries stand nowhere else.
const (
	canarySecret = "canary-secret-8f3b1c"
	canaryKey    = "m2m_test_canarykey77"
	canaryName   = "Canarina"
	canaryID     = "CANA870329HDFRPN09"
	canaryDob    = "1987-03-29"
)

const (
	canaryUser    = `{"name":{"firstName":"` + canaryName + `","lastName":"` + canaryName + `"},"idNumber":"` + canaryID + `","idType":"CURP","dob":"` + canaryDob + `"}`
	canaryPayload = `{"event":"link.created","timestamp":"2026-01-26T14:30:00.000Z","data":{"linkId":"link_1","referenceId":"user_1","userData":` + canaryUser + `}}`
	// canaryTime is of the deliveries in files.
	canaryTime = "1769437800"
)

// leaks are the spellings of what must not be written: of the secrets ever, of the user's
// data with --redact.
func leaks(redact bool) []string {
	var all []string
	for _, secret := range []string{canarySecret, canaryKey} {
		all = append(all, secret, base64.StdEncoding.EncodeToString([]byte(secret)), hex.EncodeToString([]byte(secret)))
	}
	if redact {
		all = append(all, canaryName, canaryID, canaryDob)
	}
	return all
}

// canaryMAC signs as the canary secret does.
func canaryMAC(timestamp, body string) string {
	key, err := sign.NewKey(canarySecret)
	if err != nil {
		panic(err)
	}
	return key.Sign(timestamp, []byte(body))
}

// canaryRaw is a raw request of the payload.
func canaryRaw(signature, body string) string {
	return fmt.Sprintf("POST /webhooks/m2m HTTP/1.1\r\nHost: localhost\r\nX-M2M-Event: link.created\r\n"+
		"X-M2M-Timestamp: %s\r\nX-M2M-Signature: %s\r\nX-API-Key: %s\r\nContent-Length: %d\r\n\r\n%s", canaryTime, signature, canaryKey, len(body), body)
}

// canaryFiles are in DIR/in.
func canaryFiles() map[string]string {
	right := canaryMAC(canaryTime, canaryPayload)
	return map[string]string{
		"secret":       canarySecret + "\n",
		"key":          canaryKey + "\n",
		"config.yaml":  "webhook_secret: " + canarySecret + "\napi_key: " + canaryKey + "\nprofiles:\n  other:\n    webhook_secret: [" + canarySecret + "]\n",
		"broken.yaml":  "webhook_secret: [" + canarySecret + "\napi_key: {" + canaryKey + "\n",
		"wrong.yaml":   "webhook_secret: {a: " + canarySecret + "}\napi_key: [" + canaryKey + ", " + canaryKey + "]\n",
		"payload.json": canaryPayload,
		"torn.json":    canaryPayload[:len(canaryPayload)-9],
		"right.http":   canaryRaw(right, canaryPayload),
		"forged.http":  canaryRaw("sha256="+strings.Repeat("0", 64), canaryPayload),
		"reread.http":  canaryRaw(right, strings.ReplaceAll(canaryPayload, ":", ": ")),
		"torn.http":    canaryRaw(right, canaryPayload)[:480],
		"leak.http":    canaryRaw(strings.Repeat("0", 64), leakPayload) + "\n",
		"leak.json":    leakPayload,
		"data.json":    `{"event":"user.data_request","data":` + canaryUser + `}`,
		"request.json": aDataRequest("2099"),
		"user.json":    canaryUser,
		"users.json":   `{"user_1":` + canaryUser + `}`,
		"torn-user":    canaryUser[:40],
		"old.json":     `{"dob":"` + canaryDob + `T00:00:00Z","idNumber":"` + canaryID + `"}`,
	}
}

// canaryLines are command lines, of every command. ECHO answers with what it was sent,
// SAY with the user's data in a sentence, TORN with a part of it, API as the Partner API
// does, and DENY as that when it quotes what it refuses.
const canaryLines = `
send --payload IN/payload.json --to ECHO
send --payload IN/payload.json --to ECHO -v
send --payload IN/payload.json --to ECHO --json
send --payload IN/payload.json --to SAY
send --payload IN/payload.json --to SAY -v
send --payload IN/payload.json --to SAY --json
send --payload IN/payload.json --to TORN -v
send --payload IN/torn.json --to ECHO -v
send --payload IN/torn.json --to ECHO --json
send --payload IN/payload.json --to ECHO --fault not-json -v
send --payload IN/payload.json --to ECHO --fault wrong-secret -v
send --payload IN/payload.json --to ECHO --duplicates 2 -v
send --payload IN/payload.json --to ECHO --schedule 0s,0s -v
send --payload IN/payload.json --print http
send --payload IN/payload.json --print curl
send --payload IN/payload.json --print json
send --payload IN/payload.json --print vegeta
send link.created --to ECHO --secret-file IN/secret -v
send link.created --to ECHO --secret ` + canarySecret + ` -v
send link.created --to ECHO --config IN/config.yaml -v
send link.created --to ECHO --secrets=` + canarySecret + `
send link.created --to http://127.0.0.1:1 -v
send --scenario happy-path --to ECHO -v
send link.created --set data.nothing=` + canaryName + ` --to ECHO
send user.data_request --await-reply 5s --to PARTNER -v
send user.data_request --await-reply 5s --to PARTNER --json
verify IN/right.http -v
verify IN/right.http --json
verify IN/forged.http
verify IN/forged.http --json
verify IN/forged.http --report junit=OUT/report.xml
verify IN/reread.http -v
verify IN/reread.http --json
verify IN/torn.http
verify IN/data.json
verify IN/right.http --schema
verify IN/right.http --schema --json --report junit=OUT/report.xml
verify --payload IN/payload.json --timestamp 1769437800 --signature sha256=00 -v
verify --payload IN/payload.json --timestamp 1769437800000 --signature sha256=00 --json
verify IN/user.json
reply --event IN/request.json --data IN/user.json --endpoint API --extra
reply --event IN/request.json --data IN/user.json --endpoint API --json --extra
reply --event IN/request.json --data IN/user.json --endpoint API -v --extra
reply --event IN/request.json --users IN/users.json --endpoint DENY --extra
reply --event IN/request.json --users IN/users.json --endpoint DENY --json --extra
reply --event IN/request.json --users IN/users.json --endpoint SAY/partner/data-requests/dr_acme_x9y8z7w6v5u4
reply --event IN/request.json --data IN/user.json --endpoint https://evil.test/partner/data-requests/dr_acme_x9y8z7w6v5u4
reply --event IN/request.json --data IN/user.json --env live
reply --event IN/request.json --data IN/user.json --print http
reply --event IN/request.json --data IN/user.json --print curl
reply --event IN/request.json --data IN/user.json --api-key-file IN/key --endpoint http://127.0.0.1:1/partner/data-requests/dr_acme_x9y8z7w6v5u4
reply --event IN/request.json --data IN/torn-user --endpoint API
reply --event IN/request.json --data IN/old.json --endpoint API
reply --event IN/data.json --data IN/user.json --endpoint API --extra
reply dr_acme_x9y8z7w6v5u4 --reference-id user_1 --set dob=` + canaryDob + `x --endpoint API
reply dr_acme_x9y8z7w6v5u4 --reference-id user_1 --set idNumber=` + canaryID + `1 --set idType=CURP --set dob=` + canaryDob + ` --endpoint API
replay IN/right.http --to ECHO -v
replay IN/right.http --to ECHO --json
replay IN/right.http --to SAY --as-captured -v
test --to ECHO --only accept.* -v --report junit=OUT/test.xml --report html=OUT/test.html
test --to ECHO --only accept.link.created --json
test --to SAY --only accept.* -v --report junit=OUT/test.xml --report html=OUT/test.html
test --to SAY --only accept.link.created --json
test --to TORN --only accept.* -v --report junit=OUT/test.xml --report html=OUT/test.html
test --to ECHO --only data-request.* -v
test --to http://127.0.0.1:1
load link.created --to ECHO --rate 20/s --duration 100ms --report html=OUT/load.html -v
load link.created --to SAY --rate 20/s --duration 100ms --json
config
config --json
config --config IN/config.yaml --json
config --config IN/config.yaml --profile other
config --config IN/broken.yaml
config --config IN/wrong.yaml
config --secret-file IN/secret --api-key-file IN/key
demo
demo --json
events
events link.created
version --json
help environment
`

// TestNothingSecretIsWritten runs every command with canaries for a secret, an API key
// and a user's data, and looks for them in whatever it writes.
func TestNothingSecretIsWritten(t *testing.T) {
	t.Parallel()
	servers := append(canaryServers(t), leakServers(t)...)
	ran := map[string]bool{}
	for line := range strings.Lines(strings.TrimSpace(canaryLines + leakLines)) {
		line = strings.TrimSpace(line)
		command, _, _ := strings.Cut(line, " ")
		ran[command] = true
		for _, extra := range []string{"", " --redact"} {
			t.Run(strings.ReplaceAll(line, canarySecret, "SECRET")+extra, func(t *testing.T) {
				t.Parallel()
				c := newCanary(t, servers)
				code := run(t.Context(), c.env, strings.Fields(c.replace.Replace(line+extra)))
				t.Logf("exit code %d\n%s", code, c.seen)
				var more []string
				if strings.Contains(line, "forged") {
					more = append(more, canaryMAC(canaryTime, canaryPayload)) // m2m is no oracle
				}
				if strings.Contains(line, "LEAK") {
					more = append(more, leakStart)
				}
				c.look(t, extra != "", more...)
			})
		}
	}
	for _, command := range newRootCmd(testApp().env).Commands() {
		if name := command.Name(); command.Runnable() && !ran[name] && name != "listen" && name != "completion" {
			t.Errorf("no line runs %s", name)
		}
	}
}

// canary is a world for one command, with canaries in its files and its environment.
type canary struct {
	*env
	seen    *screen
	dir     string
	replace *strings.Replacer
	// leaked says that records hold an answer with the secrets in it.
	leaked bool
}

func newCanary(t *testing.T, servers []string) *canary {
	t.Helper()
	c := &canary{seen: &screen{}, dir: t.TempDir()}
	for _, sub := range []string{"in", "out"} {
		if err := os.Mkdir(filepath.Join(c.dir, sub), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range canaryFiles() {
		if err := os.WriteFile(filepath.Join(c.dir, "in", name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c.env = world(c.seen)
	c.LookupEnv = func(name string) (string, bool) {
		value, ok := map[string]string{"M2M_WEBHOOK_SECRET": canarySecret, "M2M_API_KEY": canaryKey}[name]
		return value, ok
	}
	c.replace = strings.NewReplacer(append([]string{"IN/", c.dir + "/in/", "OUT/", c.dir + "/out/"}, servers...)...)
	return c
}

// look looks for canaries, and what else there is to look for, in what was written: to
// both streams, and to files.
func (c *canary) look(t *testing.T, redact bool, more ...string) {
	t.Helper()
	texts := map[string]string{"the terminal": c.seen.String()}
	err := filepath.WalkDir(filepath.Join(c.dir, "out"), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		texts[entry.Name()] = string(text)
		if info, err := entry.Info(); err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has the mode %o", entry.Name(), info.Mode())
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	for where, text := range texts {
		if where == "saved.ndjson" && c.leaked {
			if !strings.Contains(text, canarySecret) {
				t.Errorf("the answer was not saved as it came: %s", text)
			}
			continue
		}
		// Saved records stay whole.
		for _, leak := range append(leaks(redact && where != "saved.ndjson"), more...) {
			if at := strings.Index(text, leak); at >= 0 {
				t.Errorf("%s is in %s: …%s…", leak, where, text[max(0, at-80):min(len(text), at+80)])
			}
		}
	}
}
