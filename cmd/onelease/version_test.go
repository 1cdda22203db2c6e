package main

import (
	"encoding/json"
	"runtime"
	"runtime/debug"
	"testing"
)

// TestVersion: the command says which Go it was built with, and takes no arguments.
func TestVersion(t *testing.T) {
	out, err := program(t, "version", "--json").Output()
	if err != nil {
		t.Fatal(err)
	}
	var got versionView
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	if got.Go != runtime.Version() || got.Version == "" {
		t.Errorf("got %+v", got)
	}
	if err := program(t, "version", "now").Run(); code(t, err) != exitUsage {
		t.Errorf("with an argument it ends with %d", code(t, err))
	}
}

// TestVersionOf: a package's build comes before what go build has noted.
func TestVersionOf(t *testing.T) {
	noted := &debug.BuildInfo{
		Main:     debug.Module{Version: "v1.2.3"},
		Settings: []debug.BuildSetting{{Key: "vcs.revision", Value: "abc"}, {Key: "vcs.modified", Value: "true"}},
	}
	for name, test := range map[string]struct {
		version, commit string
		info            *debug.BuildInfo
		want, of        string
	}{
		"nothing known": {"", "", nil, "devel", ""},
		"a checkout":    {"", "", &debug.BuildInfo{Main: debug.Module{Version: "(devel)"}}, "devel", ""},
		"a module":      {"", "", noted, "v1.2.3", "abc-dirty"},
		"a package":     {"1.3", "def", noted, "1.3", "def"},
	} {
		t.Run(name, func(t *testing.T) {
			version, commit = test.version, test.commit
			defer func() { version, commit = "", "" }()
			if got := versionOf(test.info); got.Version != test.want || got.Commit != test.of {
				t.Errorf("got version %q of %q, want %q of %q", got.Version, got.Commit, test.want, test.of)
			}
		})
	}
}
