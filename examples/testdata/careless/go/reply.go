package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"
)

type dataRequest struct {
	ReferenceID    string   `json:"referenceId"`
	RequiredFields []string `json:"requiredFields"`
	ReplyEndpoint  string   `json:"replyEndpoint"`
}

// reply answers a data request with made-up data. Nobody asks what came of it.
func (h *handler) reply(data json.RawMessage) {
	var request dataRequest
	if json.Unmarshal(data, &request) != nil || h.apiKey == "" || !h.keyMayGoTo(request.ReplyEndpoint) {
		return
	}
	known := map[string]string{"dob": "1990-05-15", "idType": "CURP", "idNumber": "GALO900515HDFRPN09"}
	userData := make(map[string]any)
	for _, field := range request.RequiredFields {
		first, second, nested := strings.Cut(field, ".")
		if !nested {
			userData[first] = cmp.Or(known[first], "made-up "+first)
			continue
		}
		group, ok := userData[first].(map[string]any)
		if !ok {
			group = make(map[string]any)
			userData[first] = group
		}
		group[second] = "made-up " + second
	}
	body, err := json.Marshal(map[string]any{"referenceId": request.ReferenceID, "userData": userData})
	if err != nil {
		return
	}
	put, err := http.NewRequest(http.MethodPut, request.ReplyEndpoint, bytes.NewReader(body))
	if err != nil {
		return
	}
	put.Header.Set("X-API-Key", h.apiKey)
	put.Header.Set("Content-Type", "application/json")
	client := http.Client{
		Timeout:       10 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	if response, err := client.Do(put); err == nil {
		_ = response.Body.Close()
	}
}

func (h *handler) keyMayGoTo(endpoint string) bool {
	u, err := url.Parse(endpoint)
	if err != nil || u.User != nil || u.Scheme != "http" && u.Scheme != "https" {
		return false
	}
	addr, err := netip.ParseAddr(u.Hostname())
	return u.Hostname() == "localhost" || err == nil && addr.IsLoopback() || u.Scheme+"://"+u.Host == h.replyOrigin
}
