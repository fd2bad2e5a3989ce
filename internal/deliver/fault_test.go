package deliver_test

import (
	"bytes"
	"encoding/json"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/leapfinancial/m2m/fixtures"
	"github.com/leapfinancial/m2m/internal/deliver"
	"github.com/leapfinancial/m2m/internal/delivery"
	"github.com/leapfinancial/m2m/internal/endpoint"
	"github.com/leapfinancial/m2m/internal/sign"
)

const signedAt = "1769437800"

// faulty is a delivery with a fault, and the same without.
func faulty(t *testing.T, name string, payload []byte) (broken, right delivery.Request) {
	t.Helper()
	fault, ok := deliver.FindFault(name)
	if !ok {
		t.Fatalf("there is no fault %q", name)
	}
	key, err := sign.NewKey("secret")
	if err != nil {
		t.Fatal(err)
	}
	target, err := endpoint.ParseTarget("localhost")
	if err != nil {
		t.Fatal(err)
	}
	spec := deliver.Spec{Target: target, Key: key, UserAgent: "test"}
	right = spec.Request(payload, signedAt)
	spec.Fault = fault
	return spec.Request(payload, signedAt), right
}

func verdict(t *testing.T, request delivery.Request) sign.Verdict {
	t.Helper()
	key, err := sign.NewKey("secret")
	if err != nil {
		t.Fatal(err)
	}
	m := sign.Message{Body: request.Body}
	m.Signature, m.HasSignature = request.Headers.Get(delivery.SignatureHeader)
	m.Timestamp, m.HasTimestamp = request.Headers.Get(delivery.TimestampHeader)
	return sign.Verify(m, []sign.Key{key}, sign.Clock{Now: time.Unix(1769437800, 0), Tolerance: 5 * time.Minute})
}

// TestFaultsAreWhatTheySay judges each with the real verifier, for every sample.
func TestFaultsAreWhatTheySay(t *testing.T) {
	t.Parallel()
	want := map[string]sign.Reason{
		"bad-signature": sign.SignatureMismatch, "wrong-secret": sign.SignatureMismatch,
		"missing-signature": sign.MissingSignature, "missing-timestamp": sign.MissingTimestamp,
		"no-prefix": sign.MalformedSignature, "truncated-signature": sign.MalformedSignature,
		"stale": sign.TooOld, "future": sign.InFuture,
		"tampered-body": sign.SignatureMismatch, "tampered-timestamp": sign.SignatureMismatch,
		"reserialized-body": sign.SignatureMismatch, "not-json": "", "missing-event-header": "",
		"unknown-event": "", "slow-body": "",
	}
	names, err := fs.Glob(fixtures.FS, "events/*.json")
	if err != nil || len(names) != 5 {
		t.Fatalf("got %d samples and error %v, want 5", len(names), err)
	}
	if got := len(deliver.Faults()); got != len(want) {
		t.Errorf("got %d faults, want %d", got, len(want))
	}
	for _, fault := range deliver.Faults() {
		reason, known := want[fault.Name]
		if !known || fault.Wire == "" {
			t.Errorf("%s: not expected, or it says nothing", fault.Name)
		}
		for _, name := range names {
			payload, err := fs.ReadFile(fixtures.FS, name)
			if err != nil {
				t.Fatal(err)
			}
			broken, _ := faulty(t, fault.Name, payload)
			if got := verdict(t, broken).Reason; got != reason {
				t.Errorf("%s of %s: got %q, want %q", fault.Name, name, got, reason)
			}
		}
	}
}

func TestStaleAndFutureAreAnHourOff(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]float64{"stale": 3600, "future": -3600} {
		if broken, _ := faulty(t, name, []byte("{}")); verdict(t, broken).Age != want {
			t.Errorf("%s: %v s old, want %v", name, verdict(t, broken).Age, want)
		}
	}
}

// differences says which parts of two requests differ.
func differences(a, b delivery.Request) string {
	var parts []string
	for _, name := range []string{delivery.EventHeader, delivery.TimestampHeader, delivery.SignatureHeader, "Content-Type", "User-Agent"} {
		one, hasOne := a.Headers.Get(name)
		other, hasOther := b.Headers.Get(name)
		if one != other || hasOne != hasOther {
			parts = append(parts, name)
		}
	}
	if !bytes.Equal(a.Body, b.Body) {
		parts = append(parts, "body")
	}
	return strings.Join(parts, " ")
}

// TestFaultsChangeNothingElse looks at what differs from the right delivery.
func TestFaultsChangeNothingElse(t *testing.T) {
	t.Parallel()
	const event, timestamp, signature = delivery.EventHeader, delivery.TimestampHeader, delivery.SignatureHeader
	want := map[string]string{
		"bad-signature": signature, "wrong-secret": signature, "missing-signature": signature,
		"missing-timestamp": timestamp, "no-prefix": signature, "truncated-signature": signature,
		"stale": timestamp + " " + signature, "future": timestamp + " " + signature,
		"tampered-body": "body", "tampered-timestamp": timestamp, "reserialized-body": "body",
		"not-json": signature + " body", "missing-event-header": event,
		"unknown-event": event + " " + signature + " body", "slow-body": "",
	}
	payload, err := fs.ReadFile(fixtures.FS, "events/operation.created.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, fault := range deliver.Faults() {
		broken, right := faulty(t, fault.Name, payload)
		if got := differences(broken, right); got != want[fault.Name] {
			t.Errorf("%s: %q differs, want %q", fault.Name, got, want[fault.Name])
		}
	}
}

func TestTamperedBodyStaysTheSameJSONButForOneCharacter(t *testing.T) {
	t.Parallel()
	for _, payload := range []string{
		`{"event":"e","data":{"amount":{"send":100.00}}}`, `{"event":"e","data":{"a":"\n","b":[{"c":0}]}}`,
		`{"event":"z9","data":{}}`, `{"event":"link.opened","data":{"x":"Z"}}`, `{"data":{"a":-0.5e9}}`, `{"data":{"1":"","2":null,"3":"k"}}`,
	} {
		broken, _ := faulty(t, "tampered-body", []byte(payload))
		changed := 0
		for i := range payload {
			if i < len(broken.Body) && broken.Body[i] != payload[i] {
				changed++
			}
		}
		if len(broken.Body) != len(payload) || changed != 1 || !json.Valid(broken.Body) {
			t.Errorf("%s: got %s", payload, broken.Body)
		}
		if at := strings.Index(payload, `"data"`); payload != `{"event":"z9","data":{}}` && string(broken.Body[:at]) != payload[:at] {
			t.Errorf("%s: changed before data: %s", payload, broken.Body)
		}
	}
}

func TestReserializedBodyIsTheSameJSON(t *testing.T) {
	t.Parallel()
	for _, payload := range []string{`{"a":1.50}`, "{\n  \"a\": 1.50\n}", `{"a":1.50} `, "not json"} {
		broken, _ := faulty(t, "reserialized-body", []byte(payload))
		if string(broken.Body) == payload {
			t.Errorf("%q stayed as it was", payload)
		}
		if payload != "not json" && (!json.Valid(broken.Body) || !bytes.Contains(broken.Body, []byte("1.50"))) {
			t.Errorf("%q became %q", payload, broken.Body)
		}
	}
}

func TestFaultShowsWhereItChangesSomething(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, fault, payload string
		edit                 deliver.HeaderEdit
		want                 bool
	}{
		{"no fault", "", `{"event":"e"}`, deliver.HeaderEdit{}, false},
		{"a changed header", "no-prefix", `{"event":"e"}`, deliver.HeaderEdit{}, true},
		{"a body that only takes longer", "slow-body", `{"event":"e"}`, deliver.HeaderEdit{}, true},
		{"a header that is not there", "missing-event-header", `{}`, deliver.HeaderEdit{}, false},
		{"a header that the user took out", "tampered-timestamp", `{}`, deliver.HeaderEdit{Name: delivery.TimestampHeader, Remove: true}, false},
		{"a header that the user chose", "wrong-secret", `{}`, deliver.HeaderEdit{Name: delivery.SignatureHeader, Value: "mine"}, false},
		{"an event that has no place", "unknown-event", `[1]`, deliver.HeaderEdit{}, false},
		{"a body that is no JSON", "tampered-body", `rubbish`, deliver.HeaderEdit{}, true},
		{"no body", "reserialized-body", ``, deliver.HeaderEdit{}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			key, err := sign.NewKey("secret")
			if err != nil {
				t.Fatal(err)
			}
			target, err := endpoint.ParseTarget("localhost")
			if err != nil {
				t.Fatal(err)
			}
			spec := deliver.Spec{Target: target, Key: key, Edits: []deliver.HeaderEdit{c.edit}}
			if c.edit.Name == "" {
				spec.Edits = nil
			}
			spec.Fault, _ = deliver.FindFault(c.fault)
			if got := spec.FaultShows([]byte(c.payload), signedAt); got != c.want {
				t.Errorf("got %t, want %t", got, c.want)
			}
		})
	}
}

// FuzzTamperedBody checks that JSON stays JSON, and another one.
func FuzzTamperedBody(f *testing.F) {
	for _, seed := range []string{`{"event":"e","data":{"a":1}}`, ` {"data": [ "\u00e9", {"x":0.5}]} `, `"z9"`, `{"data":{}}`, `rubbish`, "", `{"data`} {
		f.Add([]byte(seed))
	}
	fault, _ := deliver.FindFault("tampered-body")
	key, err := sign.NewKey("secret")
	if err != nil {
		f.Fatal(err)
	}
	target, err := endpoint.ParseTarget("localhost")
	if err != nil {
		f.Fatal(err)
	}
	spec := deliver.Spec{Target: target, Key: key, Fault: fault}
	f.Fuzz(func(t *testing.T, payload []byte) {
		got := spec.Request(payload, signedAt).Body
		if bytes.Equal(got, payload) {
			t.Errorf("%q stayed as it was", payload)
		}
		if json.Valid(payload) && !json.Valid(got) {
			t.Errorf("%q became %q, which is no JSON", payload, got)
		}
	})
}

// TestSlowBodyTakesAsLongWhateverItsSize reads a body that is handed out in smaller
// parts than its pieces.
func TestSlowBodyTakesAsLongWhateverItsSize(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
	}))
	defer server.Close()
	const span = 70 * time.Millisecond
	sender := plainSender(t)
	sender.BodyTime = span
	record, err := sender.Send(t.Context(), delivery.Request{Method: "POST", URL: server.URL, Body: make([]byte, 32<<20)}, 1)
	if err != nil || record.Error != nil {
		t.Fatal(err, record.Error)
	}
	// With a pause before each part that net/http takes, it would be ten seconds.
	if record.Latency < span || record.Latency > 5*time.Second {
		t.Errorf("it took %v, want little more than %v", record.Latency, span)
	}
}

// TestSlowBodyComesInPieces reads the raw bytes from a socket.
func TestSlowBodyComesInPieces(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	reads := make(chan []string, 1)
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer func() { _ = conn.Close() }()
		var pieces []string
		all := ""
		for !strings.HasSuffix(all, "the end") {
			buf := make([]byte, 64<<10)
			n, err := conn.Read(buf)
			if err != nil {
				break
			}
			all += string(buf[:n])
			if _, body, found := strings.Cut(all, "\r\n\r\n"); found && body != "" {
				pieces = append(pieces, body)
			}
		}
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
		reads <- append([]string{all}, pieces...)
	}()
	transport, _ := http.DefaultTransport.(*http.Transport)
	sender := &deliver.Sender{
		Client: endpoint.NewClient(transport, endpoint.ClientOptions{Timeout: 10 * time.Second, Unbuffered: true}),
		Now:    time.Now, NewID: func() string { return "id" }, BodyTime: 100 * time.Millisecond,
	}
	body := strings.Repeat("x", 300) + "the end"
	record, err := sender.Send(t.Context(), delivery.Request{Method: "POST", URL: "http://" + listener.Addr().String() + "/", Body: []byte(body)}, 1)
	if err != nil || record.Error != nil {
		t.Fatal(err, record.Error)
	}
	got := <-reads
	if len(got) < 5 {
		t.Errorf("the body came in %d pieces", len(got)-1)
	}
	if !strings.Contains(got[0], "\r\nContent-Length: 307\r\n") || !strings.HasSuffix(got[0], "\r\n\r\n"+body) {
		t.Errorf("got %q", got[0])
	}
	if record.Latency < 100*time.Millisecond {
		t.Errorf("it took %v", record.Latency)
	}
}
