package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/onelease/onelease/internal/daemon"
)

// TestBackend is a backend with a plugin as an operator has it: it is started, upgraded
// well and badly, killed and told to end, and the site is there all the time.
func TestBackend(t *testing.T) {
	t.Parallel()
	d := newDeployment(t)
	d.join("backend", "worker")
	plugins, settings, worker := filepath.Join(d.dir, "plugins"), filepath.Join(d.dir, "site.toml"), d.of("worker")
	add := func(version string) {
		do(t, "plugin", "add", sitePlugin(t, version), "--settings", settings, "--plugins", plugins)
	}
	reload := []string{"plugin", "reload", "site", "--dir", worker}
	write(t, settings, `root = "`+page(t, "one")+`"`)
	add("1.0")
	b := d.backend("--dir", worker, "--plugins", plugins, "--run", "site")
	d.wantPage("one")

	add("2.0")
	if _, version := d.plugin(worker); version != "1.0" {
		t.Errorf("version %s runs before the reload", version)
	}
	if said := do(t, reload...); !strings.Contains(said, "version 2.0") || !strings.Contains(said, "taken over") {
		t.Errorf("reload: %s", said)
	}
	d.wantPage("one")

	write(t, settings, `rooot = "/"`)
	fails(t, exitFailed, []string{"the old one goes on", "rooot", "root"}, "", reload...)
	d.wantPage("one")
	write(t, settings, `root = "`+page(t, "two")+`"`)
	b.cmd.Process.Signal(syscall.SIGHUP)
	b.says("read again")
	d.wantPage("two")

	pid, _ := d.plugin(worker)
	syscall.Kill(pid, syscall.SIGKILL)
	began := time.Now()
	d.wantPage("two")
	t.Logf("fetched %v after kill -9 of the plugin", time.Since(began))
	s := d.status(worker).Services[0]
	if s.Restarts != 1 || s.Reloads != 2 || s.LastExit == nil || s.Kind != "plugin" || s.Traffic.Streams < 5 {
		t.Errorf("status %+v", s)
	}
	text := do(t, "backend", "status", "--dir", worker)
	for _, want := range []string{d.b32, "backend worker, weight 1", "member-1", "up", "site", "2.0", "site ended last"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
	d.wantLookup()
	d.wantReady(worker)
	d.wantDoctor("b1", "worker")
	fails(t, exitFailed, []string{`no service "sity"`}, "", "plugin", "reload", "sity", "--dir", worker)
	fails(t, exitFailed, []string{"another process runs"}, "", append(append([]string{"backend"}, d.frontends...), "--dir", worker, "--builtin", "echo")...)
	b.end()
	if _, err := os.Stat(daemon.ControlPath(worker)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the socket is left: %v", err)
	}
	fails(t, exitFailed, []string{"no backend runs there"}, "", reload...)
}

// TestBackendDrains: what is open when it is told to end goes on, unless it is told once
// more.
func TestBackendDrains(t *testing.T) {
	t.Parallel()
	d := newDeployment(t)
	d.join("backend", "worker")
	program, worker := sitePlugin(t, "1.0"), d.of("worker")
	run := []string{"--dir", worker, "--plugin", "site=" + program, "--set", `site.root="` + page(t, "here") + `"`}
	b := d.backend(run...)
	large := d.begin("/large.bin")
	b.cmd.Process.Signal(syscall.SIGTERM)
	until(t, "it drains", func() bool { return d.status(worker).Draining })
	if n, err := large(); n != 8<<20 || err != nil {
		t.Errorf("%d bytes of the file came, %v", n, err)
	}
	if got := code(t, b.cmd.Wait()); got != 0 {
		t.Errorf("exit code %d: %s", got, b.log())
	}

	b = d.backend(append(run, "--drain-limit", "1s")...)
	_ = d.begin("/large.bin") // and does not read on
	b.cmd.Process.Signal(syscall.SIGTERM)
	if got := code(t, b.cmd.Wait()); got != exitFailed || !strings.Contains(b.log(), "ended before its streams had, after 1s") {
		t.Errorf("exit code %d at the limit: %s", got, b.log())
	}

	b = d.backend(run...)
	_ = d.begin("/large.bin")
	pid, _ := d.plugin(worker)
	b.cmd.Process.Signal(syscall.SIGTERM)
	b.says("backend drains")
	b.cmd.Process.Signal(syscall.SIGTERM)
	if got := code(t, b.cmd.Wait()); got != exitFailed || !strings.Contains(b.log(), "ended before its streams had") {
		t.Errorf("exit code %d after the second signal: %s", got, b.log())
	}
	until(t, "the plugin is gone", func() bool { return errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) })
}

// TestBackendAlone has the Destination's keys, and its services in its own process.
func TestBackendAlone(t *testing.T) {
	t.Parallel()
	d := newDeployment(t)
	control := filepath.Join(d.dir, "c")
	config := filepath.Join(d.dir, "backend.toml")
	write(t, config, `
keys = "`+d.keys+`"
control = "c"
[[service]]
builtin = "site"
settings = { root = "`+page(t, "alone")+`" }
[[service]]
builtin = "echo"
settings = { port = 7 }
`)
	b := d.backend("--config", config, "--drain-limit", "1s")
	d.wantPage("alone")
	status := do(t, "backend", "status", "--control", control)
	if !strings.Contains(status, "echo") || strings.Count(status, "builtin") != 2 || strings.Contains(status, "weight") {
		t.Errorf("status:\n%s", status)
	}
	fails(t, exitFailed, []string{"built in", "anew"}, "", "plugin", "reload", "site", "--control", control)
	if info, err := os.Stat(control); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("socket %v, %v", info.Mode(), err)
	}
	b.end()
}

// TestBackendBadInput: what is wrong is named, and what to do about it.
func TestBackendBadInput(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.join("backend", "worker")
	config := filepath.Join(s.dir, "backend.toml")
	write(t, config, "drain_limit = \"5m\"\n")
	for args, want := range map[string][]string{
		"--dir B1 F --builtin echo":                           {"directory of a balancer", "--role backend"},
		"--dir W F --builtin eco":                             {`"eco"`, "echo, proxy, site"},
		"--dir W F --builtin site":                            {"root"},
		"--dir W F --builtin echo --set echo.prot=7":          {`"prot"`, `did you mean "port"`},
		"--dir W F --builtin echo --set echo.port=x":          {"echo", "quotes"},
		"--dir W F --builtin echo --set eco.port=7":           {"name of a service: echo"},
		"--dir W F --builtin echo --settings echo=/nowhere":   {"/nowhere"},
		"--dir W F --builtin echo --builtin echo":             {`two services are called "echo"`},
		"--dir W F --run nothing --plugins /nowhere":          {"/nowhere"},
		"--dir W F --plugin /bin/nowhere":                     {"/bin/nowhere"},
		"--dir W F --plugin KEYS":                             {"cannot be executed", "chmod"},
		"--dir W F":                                           {"no service", "--builtin"},
		"--dir W --builtin echo":                              {"no frontend", "--frontend"},
		"--dir W --frontend a --builtin echo":                 {`--frontend "a"`, "NAME=HOST:PORT"},
		"--dir W --frontend a=b --builtin echo":               {`"b"`, "host:port"},
		"--dir W F --builtin echo --weight 0":                 {"--weight 0", "1 to 65535"},
		"--dir W F --builtin echo --name x":                   {"--name with --dir"},
		"--keys KEYS F --builtin echo --weight 2":             {"--name"},
		"--keys KEYS --dir W F --builtin echo":                {"either --dir", "--keys"},
		"--keys KEYS --frontend a=192.0.2.1:7 --builtin echo": {"in the clear", "cluster"},
		"--config C":        {"line 1", `did you mean "drain-limit"`},
		"--config /nowhere": {"/nowhere"},
	} {
		args = strings.NewReplacer("B1", s.of("b1"), "W", s.of("worker"), "KEYS", s.keys, "C", config, " F", " --frontend a=127.0.0.1:1").Replace(args)
		r := try(t, "", append([]string{"backend"}, strings.Fields(args)...)...)
		if r.code == 0 || r.out != "" || strings.Count(r.said, "\n") != 1 {
			t.Errorf("%s: exit code %d, printed %q, said %q", args, r.code, r.out, r.said)
		}
		for _, w := range want {
			if !strings.Contains(r.said, w) {
				t.Errorf("%s: %q does not say %q", args, r.said, w)
			}
		}
	}
}

// TestBackendsShare: of two backends one is told to end. What it has open goes on, and its
// visitor's next request is the other's.
func TestBackendsShare(t *testing.T) {
	t.Parallel()
	d := newDeployment(t)
	other := map[string]string{"one": "two", "two": "one"}
	backends := map[string]*process{}
	for name := range other {
		d.join("backend", name)
		backends[name] = d.backend("--dir", d.of(name), "--builtin", "site", "--set", `site.root="`+page(t, name)+`"`)
	}
	for name := range other {
		until(t, name+" is attached", func() bool { return d.status(d.of(name)).Weight == 1 })
	}
	served, err := d.get("/")
	if other[served] == "" {
		t.Fatalf("the page is %q, %v", served, err)
	}
	large := d.begin("/large.bin")
	b := backends[served]
	b.cmd.Process.Signal(syscall.SIGTERM)
	until(t, "it wants nothing new", func() bool { s := d.status(d.of(served)); return s.Draining && s.Weight == 0 })
	until(t, "the frontend knows", func() bool {
		got, err := d.get("/")
		return err == nil && got == other[served]
	})
	if n, err := large(); n != 8<<20 || err != nil {
		t.Errorf("%d bytes of the file came, %v", n, err)
	}
	if got := code(t, b.cmd.Wait()); got != 0 {
		t.Errorf("exit code %d: %s", got, b.log())
	}
	backends[other[served]].end()
}
