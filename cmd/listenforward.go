package cmd

import (
	"context"
	"io"

	"github.com/leapfinancial/m2m/internal/deliver"
	"github.com/leapfinancial/m2m/internal/delivery"
)

// forwarder passes deliveries on to the handler.
type forwarder struct {
	sender *deliver.Sender
	url    string
}

func (o *listenOptions) forwarder() (*forwarder, error) {
	client, err := o.Connection.client(o.app)
	if err != nil {
		return nil, err
	}
	sender := &deliver.Sender{Client: client, Now: o.app.Now, NewID: o.app.newID}
	return &forwarder{sender: sender, url: o.ForwardTo.String()}, nil
}

func (f *forwarder) forward(ctx context.Context, request delivery.Request) (*delivery.Response, io.ReadCloser, *delivery.Error) {
	request.URL = f.url
	record, rest, err := f.sender.Open(ctx, request)
	if err != nil {
		return nil, nil, &delivery.Error{Kind: "protocol", Message: err.Error()}
	}
	return record.Response, rest, record.Error
}
