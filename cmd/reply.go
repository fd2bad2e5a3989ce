package cmd

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/tidwall/gjson"

	"github.com/leapfinancial/m2m/internal/capture"
	"github.com/leapfinancial/m2m/internal/delivery"
	"github.com/leapfinancial/m2m/internal/endpoint"
	"github.com/leapfinancial/m2m/internal/fixtures"
	"github.com/leapfinancial/m2m/internal/partner"
	"github.com/leapfinancial/m2m/internal/sign"
	"github.com/leapfinancial/m2m/internal/term"
	"github.com/leapfinancial/m2m/internal/verify"
)

// keyPlaceholder stands where the API key would, in what --print shows.
const keyPlaceholder = "$M2M_API_KEY"

type replyOptions struct {
	app *app

	ID             string
	Event          string
	Reference      string
	Data, Users    string
	Sets           []string
	SetStrings     []string
	Partial, Extra bool
	Endpoint       string
	Env            string
	// HasEnv says that --env was given on the command line.
	HasEnv     bool
	AllowHosts []string
	APIKeyFile string
	Print      string
	DryRun     bool
	Timeout    time.Duration
	CACert     string
	Secrets    secretFlags
}

const replyExamples = `  # Answer a captured data request with the fields it asks for
  m2m reply --event delivery.json --data user.json

  # The same, with the users of a file by referenceId
  m2m reply --event delivery.json --users users.json

  # Without a capture
  m2m reply dr_acme_x9y8z7w6v5u4 --reference-id user_12345 \
    --set name.secondName=Carlos --set dob=1990-05-15

  # Nothing is sent: the request, with $M2M_API_KEY in place of the key
  m2m reply --event delivery.json --data user.json --print curl`

func newReplyCmd(a *app, runF func(context.Context, *replyOptions) error) *cobra.Command {
	opts := &replyOptions{app: a}
	if runF == nil {
		runF = runReply
	}
	cmd := &cobra.Command{
		Use:     "reply [DATA_REQUEST_ID]",
		Short:   "Answer a data request with a user's data",
		Long:    "Answer a data request with a user's data, as a handler would: a PUT to the\nPartner API. The API key comes from M2M_API_KEY or --api-key-file and goes to\nM2M's two hosts and to loopback alone.",
		Example: replyExamples,
		GroupID: "everyday",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				opts.ID = args[0]
			}
			opts.HasEnv = cmd.Flags().Changed("env")
			if opts.DryRun && opts.Print == "" {
				opts.Print = "http"
			}
			if err := opts.check(len(args) > 0); err != nil {
				return err
			}
			return runF(cmd.Context(), opts)
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&opts.Event, "event", "", "the data request: a payload or a capture in `FILE` (- for stdin)")
	flags.StringVar(&opts.Reference, "reference-id", "", "the partner's `ID` of the user")
	flags.StringVar(&opts.Data, "data", "", "the userData object in `FILE` (- for stdin)")
	flags.StringVar(&opts.Users, "users", "", "userData objects by referenceId in `FILE`")
	flags.StringArrayVar(&opts.Sets, "set", nil, "put a value into userData, `PATH=VALUE`")
	flags.StringArrayVar(&opts.SetStrings, "set-string", nil, "the same, VALUE being a string: `PATH=VALUE`")
	flags.BoolVar(&opts.Partial, "partial", false, "send although required fields are missing")
	flags.BoolVar(&opts.Extra, "extra", false, "send fields too that are not required")
	flags.StringVar(&opts.Endpoint, "endpoint", "", "reply to `URL` instead")
	opts.Env = string(endpoint.Sandbox)
	flags.Var(&enumValue{"--env", &opts.Env, endpoint.Envs()}, "env", "reply to the Partner API of `ENV`: sandbox or live")
	flags.StringArrayVar(&opts.AllowHosts, "allow-host", nil, "let the API key go to `HOST`, too")
	flags.StringVar(&opts.APIKeyFile, "api-key-file", "", "read the API key from `FILE`")
	flags.Var(&enumValue{"--print", &opts.Print, []string{"http", "curl"}}, "print", "write the request as `FORM`, without the key, and send nothing: http or curl")
	flags.BoolVar(&opts.DryRun, "dry-run", false, "same as --print http")
	opts.Timeout = 30 * time.Second
	flags.Var(spanValue{&opts.Timeout}, "timeout", "give up on an answer after `DURATION`; 0 never")
	flags.StringVar(&opts.CACert, "cacert", "", "trust the certificates in `FILE` (PEM)")
	opts.Secrets.add(flags)
	return cmd
}

func (o *replyOptions) check(hasID bool) error {
	switch {
	case hasID == (o.Event != ""):
		return withHint(errors.New("which data request?"), "pass either --event FILE or DATA_REQUEST_ID with --reference-id ID")
	case hasID && o.Reference == "":
		return withHint(errors.New("no referenceId"), "pass --reference-id ID, the one of the data request")
	case !hasID && o.Reference != "":
		return errors.New("--reference-id and --event exclude each other: the event has its own")
	case o.Data != "" && o.Users != "":
		return errors.New("--data and --users exclude each other")
	case o.Data == "" && o.Users == "" && len(o.Sets)+len(o.SetStrings) == 0:
		return withHint(errors.New("no user data"), "pass --data FILE, --users FILE or --set PATH=VALUE")
	case o.Endpoint != "" && o.HasEnv:
		return errors.New("--endpoint and --env exclude each other")
	case o.Print != "" && o.app.JSON:
		return errors.New("--json and --print exclude each other")
	}
	return nil
}

func runReply(ctx context.Context, o *replyOptions) error {
	if err := o.fillSettings(); err != nil {
		return err
	}
	request, err := o.request()
	if err != nil {
		return err
	}
	userData, err := o.userData(request)
	if err != nil {
		return err
	}
	if err := o.checkDeadline(request); err != nil {
		return err
	}
	place, err := o.place(request)
	if err != nil {
		return err
	}
	key, _, err := o.app.apiKey(o.APIKeyFile)
	if err != nil {
		return err
	}
	answer := partner.Answer{
		Endpoint: place, DataRequestID: request.DataRequestID, Key: key,
		Body: partner.ReplyBody(request.ReferenceID, userData),
	}
	rules := endpoint.KeyRules{AllowedHosts: o.AllowHosts}
	if err := answer.Check(rules); err != nil {
		return forbiddenHint(err)
	}
	if o.Print != "" {
		return o.print(answer)
	}
	return o.send(ctx, answer, rules)
}

// fillSettings takes what the flags leave open from the environment and the files.
// The project's file, which may be somebody else's, does not choose that a key goes
// to production.
func (o *replyOptions) fillSettings() error {
	if err := o.app.settings.fill("timeout"); err != nil {
		return err
	}
	f, err := o.app.settings.fillFrom("env")
	if err != nil {
		return err
	}
	if f.project && o.Env == string(endpoint.Live) {
		o.app.warn("%s is ignored: the file comes with the directory; pass --env live or set M2M_ENV", f.source)
		o.Env = string(endpoint.Sandbox)
	}
	return nil
}

// request reads the data request from the capture, or makes it of the arguments.
func (o *replyOptions) request() (partner.DataRequest, error) {
	if o.Event == "" {
		if err := partner.CheckID(o.ID); err != nil {
			return partner.DataRequest{}, fmt.Errorf("data request %q: %w", o.ID, err)
		}
		return partner.DataRequest{DataRequestID: o.ID, ReferenceID: o.Reference}, nil
	}
	data, err := o.app.read(o.Event, "the event", delivery.MaxLine)
	if err != nil {
		return partner.DataRequest{}, err
	}
	captures, err := capture.Open(bytes.NewReader(data), capture.Auto)
	if errors.Is(err, capture.ErrPayload) {
		request, err := partner.ParseDataRequest(data)
		if err != nil {
			return request, fmt.Errorf("reading %s: %w", o.Event, err)
		}
		return request, nil
	}
	if err != nil {
		return partner.DataRequest{}, fmt.Errorf("reading %s: %w", o.Event, err)
	}
	record, err := o.onlyDataRequest(captures)
	if err != nil {
		return partner.DataRequest{}, err
	}
	// Nothing of the payload is trusted before this.
	if err := o.checkSignature(record); err != nil {
		return partner.DataRequest{}, err
	}
	request, err := partner.ParseDataRequest(record.Request.Body)
	if err != nil {
		return request, fmt.Errorf("reading %s: %w", o.Event, err)
	}
	return request, nil
}

// onlyDataRequest returns the one data request among the captures.
func (o *replyOptions) onlyDataRequest(captures *capture.Reader) (delivery.Record, error) {
	var requests, others []delivery.Record
	for {
		record, _, err := captures.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		var torn *delivery.LineError
		if errors.As(err, &torn) && torn.Torn {
			continue
		}
		if err != nil {
			return record, fmt.Errorf("reading %s: %w", o.Event, err)
		}
		if delivery.EventOf(record.Request) == partner.DataRequestEvent {
			requests = append(requests, record)
		} else {
			others = append(others, record)
		}
	}
	switch {
	case len(requests) == 1:
		return requests[0], nil
	case len(requests) > 1:
		return delivery.Record{}, withHint(fmt.Errorf("reading %s: it holds %d data requests", o.Event, len(requests)), "keep the one to answer, with grep for instance")
	case len(others) == 1:
		return delivery.Record{}, fmt.Errorf("reading %s: the event is %q, not %s", o.Event, delivery.EventOf(others[0].Request), partner.DataRequestEvent)
	}
	return delivery.Record{}, fmt.Errorf("reading %s: it holds no %s", o.Event, partner.DataRequestEvent)
}

func (o *replyOptions) checkSignature(record delivery.Record) error {
	ring, err := o.app.keys(o.Secrets)
	if err != nil {
		return err
	}
	if len(ring.keys) == 0 {
		return withHint(errors.New("no webhook secret to check the captured event with"),
			"set M2M_WEBHOOK_SECRET or pass --secret-file; m2m without one signs with %s", devSecret)
	}
	judged := verify.Judge{Keys: ring.keys, Clock: sign.Clock{Now: o.app.Now()}}.Record(o.Event, record)
	if judged.Verdict.Valid() {
		return nil
	}
	err = fmt.Errorf("the captured event is not authentic: %s", judged.Verdict.Reason.Text())
	return &exitError{code: exitNo, err: withHint(err, "nothing was sent; m2m verify tells more: m2m verify %s", o.Event)}
}

// userData puts together what to send, and checks it.
func (o *replyOptions) userData(request partner.DataRequest) (partner.UserData, error) {
	given, err := o.givenData(request.ReferenceID)
	if err != nil {
		return given, err
	}
	selected := given
	if request.RequiredFields != nil {
		if missing := given.Missing(request.RequiredFields); len(missing) > 0 && !o.Partial {
			err := fmt.Errorf("required fields are missing or empty: %s", strings.Join(missing, ", "))
			return given, withHint(err, "add them with --set %s=…, or send all the same with --partial", missing[0])
		}
		if !o.Extra {
			selected = given.Select(request.RequiredFields)
		}
	}
	problems, warnings := selected.Check(o.app.Now())
	for _, warning := range warnings {
		o.app.warn("%s", warning)
	}
	if len(problems) > 0 {
		texts := make([]string, len(problems))
		for i, problem := range problems {
			texts[i] = problem.String()
		}
		return given, fmt.Errorf("user data: %s", strings.Join(texts, "; "))
	}
	return selected, nil
}

func (o *replyOptions) givenData(reference string) (partner.UserData, error) {
	document := []byte("{}")
	switch {
	case o.Data != "":
		data, err := o.app.read(o.Data, "the user data", partner.MaxReply)
		if err != nil {
			return partner.UserData{}, err
		}
		document = data
	case o.Users != "":
		data, err := o.app.read(o.Users, "the users", delivery.MaxLine)
		if err != nil {
			return partner.UserData{}, err
		}
		if _, err := partner.ParseUserData(data); err != nil {
			return partner.UserData{}, fmt.Errorf("reading %s: %w", o.Users, err)
		}
		user := gjson.GetBytes(data, gjson.Escape(reference))
		if !user.Exists() {
			return partner.UserData{}, fmt.Errorf("reading %s: no user %q in it", o.Users, reference)
		}
		document = []byte(user.Raw)
	}
	userData, err := partner.ParseUserData(document)
	if err != nil {
		return userData, fmt.Errorf("reading the user data: %w", err)
	}
	document = userData.JSON()
	if document, err = applySets(document, o.Sets, false); err == nil {
		document, err = applySets(document, o.SetStrings, true)
	}
	if err != nil {
		return userData, err
	}
	return partner.ParseUserData(document)
}

// applySets adds values. The documented fields are all strings, so a number typed
// for one of them, an id for instance, is meant as its text.
func applySets(document []byte, sets []string, text bool) ([]byte, error) {
	for _, argument := range sets {
		path, _, _ := strings.Cut(argument, "=")
		set, err := fixtures.ParseAssignment(argument, text || partner.IsTextField(path))
		if err == nil {
			document, err = set.Apply(document, true)
		}
		if err != nil {
			return nil, fmt.Errorf("--set: %w", err)
		}
	}
	return document, nil
}

func (o *replyOptions) checkDeadline(request partner.DataRequest) error {
	if request.ExpiresAt.IsZero() || !request.Expired(o.app.Now()) {
		return nil
	}
	age := o.app.Now().Sub(request.ExpiresAt).Seconds()
	err := fmt.Errorf("the data request's deadline has passed: %s, %s", request.ExpiresAt.UTC().Format(time.RFC3339), term.Ago(age))
	return withHint(err, "nothing needs to be done: M2M asks the user in its widget")
}

// place returns where the answer goes.
func (o *replyOptions) place(request partner.DataRequest) (*url.URL, error) {
	path := endpoint.ReplyPath(request.DataRequestID)
	text, source := request.ReplyEndpoint, "the event's replyEndpoint"
	switch {
	case o.Endpoint != "":
		text, source = o.Endpoint, "--endpoint"
	case o.HasEnv || request.ReplyEndpoint == "":
		text = endpoint.Env(o.Env).Origin() + path
	}
	place, err := url.Parse(text)
	if err != nil || place.Host == "" {
		return nil, fmt.Errorf("%s: %q is not a URL with a host", source, text)
	}
	if place.Path == "" && o.Endpoint != "" {
		place.Path = path // JoinPath would leave out the first slash
	}
	return place, nil
}

func forbiddenHint(err error) error {
	var other *endpoint.OtherHostError
	if errors.As(err, &other) {
		return withHint(err, "if that host is yours, pass --allow-host %s", other.Host)
	}
	return withHint(err, "nothing was sent")
}

func (o *replyOptions) print(answer partner.Answer) error {
	request := delivery.Request{Method: partner.Method, URL: answer.Endpoint.String(), Body: answer.Body}
	for _, h := range answer.Headers(keyPlaceholder, userAgent()) {
		request.Headers = append(request.Headers, delivery.Header(h))
	}
	if o.Print == "curl" {
		text, err := capture.FormatCurl(request, nil, partner.KeyHeader)
		if err != nil {
			return err
		}
		_, err = io.WriteString(o.app.Out, text)
		return err
	}
	data, err := capture.FormatHTTP(request)
	if err != nil {
		return err
	}
	_, err = o.app.Out.Write(data)
	return err
}

func (o *replyOptions) send(ctx context.Context, answer partner.Answer, rules endpoint.KeyRules) error {
	client, err := o.app.client(o.Timeout, false, o.CACert)
	if err != nil {
		return err
	}
	defer client.CloseIdle()
	api := &partner.Client{
		HTTP: client, Rules: rules, UserAgent: userAgent(), Now: o.app.Now,
		OnRetry: func(r partner.Retry) {
			o.app.notice("try %d: %d; the next in %s", r.Try, r.Status, shortDuration(r.Pause))
		},
	}
	outcome, err := api.Reply(ctx, answer)
	if err != nil {
		return err
	}
	if outcome.Note != "" {
		o.app.warn("%s", outcome.Note)
	}
	if o.app.JSON {
		if err := o.app.writeJSON(outcomeRecord(answer, outcome)); err != nil {
			return err
		}
	} else if err := o.show(answer, outcome); err != nil {
		return err
	}
	if outcome.Fulfilled {
		return nil
	}
	return result(exitNo)
}

func (o *replyOptions) show(answer partner.Answer, outcome partner.Outcome) error {
	if o.app.Quiet {
		return nil
	}
	p := o.app.printer(o.app.Out)
	if outcome.Fulfilled {
		at := outcome.FulfilledAt
		if at.IsZero() {
			at = o.app.Now()
		}
		p.Line("fulfilled %s %s", term.Safe(answer.DataRequestID), at.UTC().Format("15:04:05Z"))
		return p.Err()
	}
	text := fmt.Sprintf("refused %s  %d", term.Safe(answer.DataRequestID), outcome.Status)
	if outcome.Code != "" {
		text += " " + term.Safe(string(outcome.Code))
	}
	if outcome.Message != "" {
		text += ": " + term.Safe(outcome.Message)
	}
	p.Line("%s", text)
	p.Line("    %s", outcome.Advice())
	return p.Err()
}

func outcomeRecord(answer partner.Answer, outcome partner.Outcome) any {
	at := ""
	if !outcome.FulfilledAt.IsZero() {
		at = outcome.FulfilledAt.UTC().Format("2006-01-02T15:04:05.000Z07:00")
	}
	advice := ""
	if !outcome.Fulfilled {
		advice = outcome.Advice()
	}
	return struct {
		Type          string `json:"type"`
		DataRequestID string `json:"dataRequestId"`
		Endpoint      string `json:"endpoint"`
		Status        int    `json:"status"`
		Fulfilled     bool   `json:"fulfilled"`
		FulfilledAt   string `json:"fulfilledAt,omitempty"`
		Code          string `json:"code,omitempty"`
		Message       string `json:"message,omitempty"`
		Fix           string `json:"fix,omitempty"`
		Tries         int    `json:"tries"`
	}{"reply", answer.DataRequestID, answer.Endpoint.Redacted(), outcome.Status, outcome.Fulfilled, at,
		string(outcome.Code), outcome.Message, advice, outcome.Tries}
}
