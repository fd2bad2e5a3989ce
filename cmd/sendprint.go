package cmd

import (
	"bytes"
	"io"

	"github.com/leapfinancial/m2m/internal/capture"
	"github.com/leapfinancial/m2m/internal/delivery"
	"github.com/leapfinancial/m2m/internal/term"
)

// print writes a signed request in a form that other tools read.
func (o *sendOptions) print(maker *maker, request delivery.Request) error {
	if o.app.Redact {
		signed := request.Body
		if request.Body = term.Redact(signed); !bytes.Equal(request.Body, signed) {
			o.app.warn("--redact masked the body, which its signature does not match any more")
		}
	}
	switch o.Print {
	case "json":
		return o.app.writeRecord(delivery.Record{
			ID: maker.newID(), Time: o.present(), Event: delivery.EventOf(request), Request: request,
		})
	case "vegeta":
		line, err := delivery.EncodeLine(vegetaTarget(request))
		if err != nil {
			return err
		}
		_, err = o.app.Out.Write(line)
		return err
	case "curl":
		var flags []string
		if o.Connection.Insecure {
			flags = append(flags, "--insecure")
		}
		if o.Connection.CACert != "" {
			flags = append(flags, "--cacert", o.Connection.CACert)
		}
		text, err := capture.FormatCurl(request, flags, "")
		if err != nil {
			return withHint(err, "use --print http")
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

// vegetaTarget is a request as "vegeta attack -format=json" reads it.
func vegetaTarget(request delivery.Request) any {
	headers := map[string][]string{}
	for _, header := range request.Headers {
		headers[header.Name] = append(headers[header.Name], header.Value)
	}
	return struct {
		Method string              `json:"method"`
		URL    string              `json:"url"`
		Body   []byte              `json:"body"`
		Header map[string][]string `json:"header"`
	}{request.Method, request.URL, request.Body, headers}
}

// writeRecord writes one delivery record to stdout.
func (a *app) writeRecord(record delivery.Record) error {
	if a.Redact {
		record = term.RedactRecord(record)
	}
	line, err := record.Line()
	if err != nil {
		return err
	}
	_, err = a.Out.Write(line)
	return err
}

func userAgent() string { return "m2m/" + buildVersion() }
