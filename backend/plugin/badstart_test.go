package plugin

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// What is not ready in the end: why, and in which words.
func TestProgramsThatAreNoPlugins(t *testing.T) {
	for kind, want := range map[string]struct {
		is   error
		says string
	}{
		"garbage":  {ErrNotPlugin, `Hello, World!`},
		"quiet":    {ErrNotPlugin, "first line"},
		"binary":   {ErrNotPlugin, "first line"},
		"netrpc":   {ErrNotPlugin, "netrpc"},
		"tcp":      {errViolation, "192.0.2.1"},
		"nobody":   {nil, "onelease-there-is-none"},
		"dies":     {ErrNotPlugin, "first line"},
		"future":   {ErrVersion, "7"},
		"hang":     {ErrStartLimit, "3s"},
		"unready":  {ErrStartLimit, "3s"},
		"settings": {ErrSettings, "line 3: no such key: colour"},
	} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			path := program(t, kind)
			r := start(t, Config{Path: path, StartLimit: 3 * time.Second, MustStart: true})
			n := beside(t, r.node)
			err := <-r.done
			if err == nil || want.is != nil && !errors.Is(err, want.is) || !strings.Contains(err.Error(), want.says) {
				t.Fatalf("Serve: %v; want %v, and %q", err, want.is, want.says)
			}
			if kind != "settings" && !strings.Contains(err.Error(), path) {
				t.Errorf("%v does not name the program", err)
			}
			n.check(t)
			s := r.sup.Stats()
			if len(s.Instances) != 0 || s.LastExit.Reason == "" || !strings.Contains(r.logs.String(), "plugin not started") {
				t.Errorf("%+v", s)
			}
			if kind == "dies" && !strings.Contains(r.logs.String(), "cannot find my files") {
				t.Error("what it printed is not in the log")
			}
			noneOf(t, path)
		})
	}
}

// noneOf fails if a process of that program lives.
func noneOf(t *testing.T, path string) {
	t.Helper()
	commands, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range commands {
		if b, err := os.ReadFile(file); err == nil && bytes.HasPrefix(b, []byte(path)) {
			t.Errorf("%s lives: %q", file, b)
		}
	}
}

func TestFilesThatAreNoPrograms(t *testing.T) {
	text := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(text, []byte("just words\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]error{text: ErrNotPlugin, "/bin/true": ErrNotPlugin} {
		r := start(t, Config{Path: path, MustStart: true})
		if err := <-r.done; !errors.Is(err, want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", path, err)
		}
	}
	os.Chmod(text, 0o644)
	for _, path := range []string{text, t.TempDir(), filepath.Join(t.TempDir(), "none")} {
		if _, err := New(Config{Name: "site", Path: path}); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func TestWrongChecksums(t *testing.T) {
	path := program(t, "good")
	if _, err := New(Config{Name: "site", Path: path, SHA256: strings.Repeat("0", 64)}); !errors.Is(err, ErrChecksum) {
		t.Errorf("New: %v", err)
	}
	script := filepath.Join(t.TempDir(), "script")
	write := func(s string) {
		if err := os.WriteFile(script, []byte(s), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	write("#!/bin/sh\nexec " + path)
	r := start(t, Config{Path: script}, fast)
	n := beside(t, r.node)
	r.untilRunning()
	write("#!/bin/sh\nexec " + path + " # changed")
	r.sup.killAll()
	r.untilLogged("is no longer the program with SHA-256")
	if r.pid() != 0 {
		t.Error("the changed program was started")
	}
	n.check(t)
	if err := r.sup.Reload(t.Context()); err != nil { // the operator wants it
		t.Error(err)
	}
	r.untilRunning()
}
