package webhook

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"
)

const (
	production   = "https://api.m2m.leapfinancial.com"
	sandbox      = "https://api.sandbox.m2m.leapfinancial.com"
	replyTimeout = 10 * time.Second
)

// User is what is on file for a user, by the names that M2M's requiredFields have,
// such as "name.secondName".
type User map[string]string

type dataRequest struct {
	DataRequestID  string   `json:"dataRequestId"`
	ReferenceID    string   `json:"referenceId"`
	RequiredFields []string `json:"requiredFields"`
	ReplyEndpoint  string   `json:"replyEndpoint"`
}

// answerDataRequest sends M2M the fields that it asks for and logs what came of it.
// M2M asks the user for what it does not get, so a missing answer is not an error.
func (h *Handler) answerDataRequest(e event) {
	var request dataRequest
	err := json.Unmarshal(e.Data, &request)
	var status int
	if err == nil {
		status, err = h.reply(request)
	}
	if err != nil {
		h.log.Printf("data request %+q not answered: %v", request.DataRequestID, err)
		return
	}
	h.log.Printf("data request %+q answered: %d", request.DataRequestID, status)
}

// reply returns the status of M2M's answer.
func (h *Handler) reply(request dataRequest) (status int, err error) {
	if h.apiKey == "" {
		return 0, errors.New("no API key")
	}
	user, ok := h.users[request.ReferenceID]
	if !ok {
		return 0, fmt.Errorf("no user %+q", request.ReferenceID)
	}
	if !h.keyMayGoTo(request.ReplyEndpoint, request.DataRequestID) {
		return 0, fmt.Errorf("the API key does not go to %+q", request.ReplyEndpoint)
	}
	if len(request.RequiredFields) == 0 {
		return 0, errors.New("no field is asked for")
	}
	userData, err := user.fields(request.RequiredFields)
	if err != nil {
		return 0, err
	}
	body, err := json.Marshal(map[string]any{"referenceId": request.ReferenceID, "userData": userData})
	if err != nil {
		return 0, err
	}

	ctx, cancel := context.WithTimeout(context.Background(), replyTimeout)
	defer cancel()
	put, err := http.NewRequestWithContext(ctx, http.MethodPut, request.ReplyEndpoint, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	put.Header.Set("X-API-Key", h.apiKey)
	put.Header.Set("Content-Type", "application/json")
	response, err := h.client.Do(put)
	if err != nil {
		return 0, err
	}
	_ = response.Body.Close() // the status says it all
	return response.StatusCode, nil
}

// fields returns the named fields and no others, "name.secondName" as a member of an
// object "name".
func (u User) fields(names []string) (map[string]any, error) {
	data := make(map[string]any)
	for _, name := range names {
		value, ok := u[name]
		if !ok {
			return nil, fmt.Errorf("no %+q on file", name)
		}
		parent, child, nested := strings.Cut(name, ".")
		if !nested {
			data[name] = value
			continue
		}
		group, ok := data[parent].(map[string]any)
		if !ok {
			group = make(map[string]any)
			data[parent] = group
		}
		group[child] = value
	}
	return data, nil
}

// keyMayGoTo says whether the API key may be sent to endpoint, which comes from the
// payload: a key for the real API goes to that alone, a test key to the sandbox, and to
// this machine, so that local tools can play M2M.
func (h *Handler) keyMayGoTo(endpoint, dataRequestID string) bool {
	live := strings.HasPrefix(h.apiKey, "m2m_live_")
	test := strings.HasPrefix(h.apiKey, "m2m_test_")

	// The whole text is compared: with another port, a user name, another path or a
	// query it is another address.
	path := "/partner/data-requests/" + url.PathEscape(dataRequestID)
	switch endpoint {
	case production + path:
		return !test
	case sandbox + path:
		return !live
	}

	u, err := url.Parse(endpoint)
	if err != nil || live || u.User != nil || u.Scheme != "http" && u.Scheme != "https" {
		return false
	}
	return loopback(u.Hostname()) || u.Scheme+"://"+u.Host == h.replyOrigin
}

func loopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return strings.EqualFold(host, "localhost") || err == nil && addr.IsLoopback()
}

// replyClient returns the client that sends the API key. It follows no redirect: Go
// takes Authorization off on the way to another host, but not X-API-Key.
func replyClient(base *http.Client) http.Client {
	var client http.Client
	if base != nil {
		client = *base
	}
	client.CheckRedirect = func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}
	return client
}
