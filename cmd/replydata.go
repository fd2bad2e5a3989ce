package cmd

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

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

// missingFieldsError names required fields that no user data were given for.
type missingFieldsError struct{ fields []string }

func (e *missingFieldsError) Error() string {
	return "required fields are missing or empty: " + strings.Join(e.fields, ", ")
}

// Hint says how reply is told them.
func (e *missingFieldsError) Hint() string {
	return fmt.Sprintf("add them with --set %s=…, or send all the same with --partial", e.fields[0])
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
			return given, &missingFieldsError{missing}
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
		data, err := o.users()
		if err != nil {
			return partner.UserData{}, err
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

// users reads the file of --users, an object.
func (o *replyOptions) users() ([]byte, error) {
	data, err := o.app.read(o.Users, "the users", delivery.MaxLine)
	if err != nil {
		return nil, err
	}
	if _, err := partner.ParseUserData(data); err != nil {
		return nil, fmt.Errorf("reading %s: %w", o.Users, err)
	}
	return data, nil
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
