package delivery_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/leapfinancial/m2m/internal/delivery"
)

func TestInert(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                            "",
		"## a heading [1]":            "## a heading [1]",
		"#[x] ##x #":                  "#[x] ##x #",
		"##[error]a":                  `#\u0023[error]a`,
		"a ##vso[task] ##teamcity[b]": `a #\u0023vso[task] #\u0023teamcity[b]`,
		"###[x]":                      `##\u0023[x]`,
		"##a##B[":                     `##a#\u0023B[`,
		"##":                          "##",
		"##[##[":                      `#\u0023[#\u0023[`,
		"##1[ ##é[ ##a b[":            "##1[ ##é[ ##a b[",
	} {
		if got := string(delivery.Inert([]byte(text))); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

func TestLinesGiveNoCommands(t *testing.T) {
	t.Parallel()
	const command = "##[add-mask]y ##vso[task.setvariable variable=a]b"
	record := delivery.Record{
		Request:  delivery.Request{URL: "/" + command, Headers: delivery.Headers{{Name: "X-A", Value: command}}, Body: []byte(command)},
		Response: &delivery.Response{Status: 200, Body: []byte(command)},
	}
	const before = "##[before]"
	line, err := record.AppendLine([]byte(before))
	if err != nil {
		t.Fatal(err)
	}
	line, isBehind := bytes.CutPrefix(line, []byte(before))
	if !isBehind {
		t.Errorf("what stood before the line was changed: %s", line)
	}
	encoded, err := delivery.EncodeLine(map[string]string{"message": command})
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range [][]byte{line, encoded} {
		if bytes.Contains(line, []byte("##")) {
			t.Errorf("a runner would obey %s", line)
		}
	}
	got, err := delivery.Parse(line)
	if err != nil {
		t.Fatal(err)
	}
	header, _ := got.Request.Headers.Get("X-A")
	if string(got.Request.Body) != command || string(got.Response.Body) != command || header != command {
		t.Errorf("it comes back as %+v", got)
	}
	var back map[string]string
	if err := json.Unmarshal(encoded, &back); err != nil || back["message"] != command {
		t.Errorf("it comes back as %q, %v", back, err)
	}
}
