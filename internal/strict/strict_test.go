package strict

import (
	"strings"
	"testing"
)

type document struct {
	Weight int      `toml:"weight"`
	Limit  string   `toml:"drain-limit"`
	Names  []string `toml:"names"`
	Inner  []struct {
		Name     string         `toml:"name"`
		Settings map[string]any `toml:"settings"`
	} `toml:"service"`
}

func TestDecode(t *testing.T) {
	var d document
	err := Decode([]byte("weight = 2\n[[service]]\nname = \"site\"\n[service.settings]\nanything = 1\n"), &d)
	if err != nil || d.Weight != 2 || d.Inner[0].Name != "site" || d.Inner[0].Settings["anything"] != int64(1) {
		t.Errorf("%+v, %v", d, err)
	}
}

func TestWrong(t *testing.T) {
	for text, want := range map[string]string{
		"\nwieght = 2\n":                            `line 2: unknown key "wieght": did you mean "weight"?`,
		"[[service]]\nnaem = 1":                     `did you mean "name"?`,
		"drain_limit = \"5m\"":                      `did you mean "drain-limit"?`,
		"Weight2 = 1":                               `did you mean "weight"?`,
		"[[service]]\nnam = \"x\"":                  `line 2: unknown key "service.nam": did you mean "name"?`,
		"[[service]]\nfrobnicate = \"x\"":           `the keys are name, settings`,
		"weight = 2\nweight = 3":                    "line 2",
		"weight = \"two\"":                          "line 1",
		"weight = ":                                 "line 1",
		"weight = 1\n\n[serviceX]\nname = \"site\"": `line 3: unknown key "serviceX": did you mean "service"?`,
	} {
		if err := Decode([]byte(text), &document{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}

func TestAssignment(t *testing.T) {
	for text, want := range map[string]string{
		`port=80`:             "port = 80\n",
		`root = "/srv"`:       "root = '/srv'\n",
		`limits.streams=3`:    "[limits]\nstreams = 3\n",
		`upstream="http://a"`: "upstream = 'http://a'\n",
	} {
		over, err := ParseAssignment(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
		}
		if got, err := MergeText("", over); got != want || err != nil {
			t.Errorf("%s: %q, %v; want %q", text, got, err, want)
		}
	}
	for _, text := range []string{"port", "=80", "root=/srv", "port=80\nother=1", "port="} {
		if over, err := ParseAssignment(text); err == nil || !strings.Contains(err.Error(), "quotes") {
			t.Errorf("%q: %v, %v", text, over, err)
		}
	}
}

func TestMergeText(t *testing.T) {
	const file = "# mine\nport = 1\n[limits]\nstreams = 2\nopen = 3\n"
	if got, err := MergeText(file, nil); got != file || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	over := Table{"limits": Table{"streams": int64(9)}, "new": true}
	got, err := MergeText(file, over)
	table, parseErr := ParseTable(got)
	if err != nil || parseErr != nil {
		t.Fatal(err, parseErr)
	}
	limits := table["limits"].(Table)
	if table["port"] != int64(1) || limits["streams"] != int64(9) || limits["open"] != int64(3) || table["new"] != true {
		t.Errorf("merged to %v", table)
	}
	if _, err := MergeText("port = ", over); err == nil || !strings.Contains(err.Error(), "line 1") {
		t.Error(err)
	}
}
