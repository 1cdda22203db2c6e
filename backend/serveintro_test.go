package backend

import (
	"bytes"
	"log/slog"
	"os"
	"os/exec"
	"runtime/debug"
	"strings"
	"testing"
)

func TestIntroduction(t *testing.T) {
	t.Parallel()
	s := newPluginProgram(&probe{}, []ServeOption{ServeName("probe"), ServeVersion("1.2")})
	say := func(args ...string) (string, string, int) {
		var out, err strings.Builder
		code := s.introduce(args, &out, &err)
		return out.String(), err.String(), code
	}
	for _, args := range [][]string{nil, {"--help"}} {
		out, err, code := say(args...)
		if err != "" || code != 0 {
			t.Errorf("%q: %s, %d", args, err, code)
		}
		wantAll(t, out, "probe 1.2 is a plugin", "onelease plugin add "+s.program, "--settings FILE", "    # I2P port\n    port = 80\n")
	}
	if out, err, code := say("--version"); out != "probe 1.2\n" || err != "" || code != 0 {
		t.Errorf("%q, %q, %d", out, err, code)
	}
	if out, err, code := say("--port", "7"); out != "" || !strings.Contains(err, "--port") || code != 2 {
		t.Errorf("%q, %q, %d", out, err, code)
	}
	s = newPluginProgram(ServiceFunc(nil), nil)
	if out, _, code := say(); !strings.Contains(out, "no settings") || code != 0 {
		t.Errorf("%q, %d", out, code)
	}
	cmd := exec.Command(os.Args[0], "--version")
	cmd.Env = append(os.Environ(), testService+"=probe")
	if out, err := cmd.Output(); string(out) != "probe 1.2\n" || err != nil {
		t.Errorf("%q, %v", out, err)
	}
}

func TestNameAndVersion(t *testing.T) {
	for path, want := range map[string]string{
		"example.org/x/cmd/counter": "counter", "example.org/counter/v2": "counter", "v2": "v2",
		"command-line-arguments": "program", "": "program",
	} {
		if got := nameOf(&debug.BuildInfo{Path: path}, "/usr/bin/program"); got != want {
			t.Errorf("%q is called %q", path, got)
		}
	}
	info := &debug.BuildInfo{Settings: []debug.BuildSetting{{Key: "vcs.revision", Value: "0123456789abcdef"}, {Key: "vcs.modified", Value: "true"}}}
	info.Main.Version = "(devel)"
	if got := versionOf(info); got != "devel-0123456789ab+dirty" {
		t.Error(got)
	}
	info.Main.Version = "v1.2.3"
	if got := versionOf(info); got != "v1.2.3" {
		t.Error(got)
	}
}

func TestPluginLog(t *testing.T) {
	var b bytes.Buffer
	log := newPluginLog(&b, slog.LevelDebug-4)
	log.Log(t.Context(), slog.LevelDebug-4, "least", slog.Group("g", "level", "x", "msg", "y"))
	log.Log(t.Context(), slog.LevelWarn+2, "more", "time", "now", "level", 3)
	lines := strings.Split(b.String(), "\n")
	wantAll(t, lines[0], `"@level":"trace","@message":"least","g":{"level":"x","msg":"y"}`)
	wantAll(t, lines[1], `"@level":"warn","@message":"more","time":"now","level":3`)
}
