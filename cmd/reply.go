package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/leapfinancial/m2m/internal/capture"
	"github.com/leapfinancial/m2m/internal/delivery"
	"github.com/leapfinancial/m2m/internal/endpoint"
	"github.com/leapfinancial/m2m/internal/manual"
	"github.com/leapfinancial/m2m/internal/partner"
	"github.com/leapfinancial/m2m/internal/term"
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
		Long:    "Answer a data request with a user's data, as a handler would.\n\nThe answer is a PUT to the Partner API. The API key comes from M2M_API_KEY or\n--api-key-file and goes to M2M's two hosts and to loopback alone. The\nsignature of a captured event is checked first, with the webhook secret.",
		Example: replyExamples,
		Args:    atMostOne("DATA_REQUEST_ID"),
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
	flags.Var(listValue{&opts.Sets}, "set", "put a value into userData, `PATH=VALUE`")
	flags.Var(listValue{&opts.SetStrings}, "set-string", "the same, VALUE being a string: `PATH=VALUE`")
	flags.BoolVar(&opts.Partial, "partial", false, "send although required fields are missing")
	flags.BoolVar(&opts.Extra, "extra", false, "send fields too that are not required")
	flags.StringVar(&opts.Endpoint, "endpoint", "", "reply to `URL` instead")
	opts.Env = string(endpoint.Sandbox)
	flags.Var(&enumValue{"--env", &opts.Env, endpoint.Envs()}, "env", "reply to the Partner API of `ENV`: sandbox or live")
	flags.Var(listValue{&opts.AllowHosts}, "allow-host", "let the API key go to `HOST`, too")
	flags.StringVar(&opts.APIKeyFile, "api-key-file", "", "read the API key from `FILE`")
	flags.Var(&enumValue{"--print", &opts.Print, []string{"http", "curl"}}, "print", "write the request as `FORM`, without the key, and send nothing: http or curl")
	flags.BoolVar(&opts.DryRun, "dry-run", false, "same as --print http")
	opts.Timeout = 30 * time.Second
	flags.Var(spanValue{&opts.Timeout}, "timeout", "give up on an answer after `DURATION`; 0 never")
	flags.StringVar(&opts.CACert, "cacert", "", "trust the certificates in `FILE` (PEM)")
	manual.Group(flags, "The user's data", "data", "users", "set", "set-string", "partial", "extra")
	manual.Group(flags, "Where it goes", "endpoint", "env", "allow-host", "api-key-file")
	manual.Group(flags, "Connection", "timeout", "cacert")
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
	return o.answer(ctx, request)
}

// answer replies to a data request, or shows how it would.
func (o *replyOptions) answer(ctx context.Context, request partner.DataRequest) error {
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

func forbiddenHint(err error) error {
	var other *endpoint.OtherHostError
	if errors.As(err, &other) {
		return withHint(err, "if that host is yours, pass --allow-host %s", other.Host)
	}
	return withHint(err, "nothing was sent")
}

func (o *replyOptions) print(answer partner.Answer) error {
	request := delivery.Request{Method: partner.Method, URL: answer.Endpoint.String(), Body: answer.Body}
	if o.app.Redact {
		request.Body = term.Redact(request.Body)
	}
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
	connection := connectionFlags{Timeout: o.Timeout, CACert: o.CACert, Checked: true}
	client, err := connection.client(o.app)
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
	if o.app.Redact {
		outcome.Message = term.RedactText(outcome.Message, answer.Body)
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
