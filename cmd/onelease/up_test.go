package main

import (
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/test/embedded"
)

// An upWorld is an embedded network whose routers are reached by I2CP, and a visitor there.
type upWorld struct {
	t       *testing.T
	network *embedded.Network
	visitor *embedded.Remote
	routers []string // flags
	dir     string
}

// newUpWorld has two members and a publisher, which read the option not to publish the
// wrong way round, as i2pd 2.58 does.
func newUpWorld(t *testing.T) *upWorld {
	t.Helper()
	w := &upWorld{t: t, network: embedded.Start(embedded.Config{}), dir: filepath.Join(t.TempDir(), "site-1")}
	t.Cleanup(w.network.Close)
	for _, r := range []struct{ flag, name, roles string }{{"a", "member-1", "member"}, {"b", "member-2", "member"}, {"c", "publisher", "publisher"}} {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { ln.Close() })
		router := w.network.Router(r.name)
		go func() { _ = router.ServeI2CP(ln) }() // ends with the listener
		w.routers = append(w.routers, "--router", r.flag+"="+ln.Addr().String()+","+r.roles)
	}
	w.visitor = w.network.Remote()
	return w
}

// up starts the program, and returns what it prints when it runs.
func (w *upWorld) up(args ...string) (*process, upView) {
	w.t.Helper()
	p := &process{t: w.t, cmd: program(w.t, append([]string{"up", "--json", "--dir", w.dir}, args...)...)}
	p.cmd.Stderr = p
	out, err := p.cmd.StdoutPipe()
	if err == nil {
		err = p.cmd.Start()
	}
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() {
		if p.cmd.ProcessState == nil {
			p.kill()
		}
	})
	p.names(w.visitor)
	var v upView
	if err := json.NewDecoder(out).Decode(&v); err != nil {
		w.t.Fatalf("%v: %s", err, p.log())
	}
	return p, v
}

// get fetches a page by a stream of its own.
func (w *upWorld) get(b32, path string) (string, error) { return getBy(w.visitor, b32, path) }

func getBy(visitor *embedded.Remote, b32, path string) (string, error) {
	client := http.Client{Timeout: time.Minute, Transport: &http.Transport{DialContext: visitor.DialContext, DisableKeepAlives: true}}
	response, err := client.Get("http://" + b32 + path)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return strings.TrimSpace(string(body)), err
}

func (w *upWorld) wantPage(b32, want string) {
	w.t.Helper()
	if got, err := w.get(b32, "/"); got != want || err != nil {
		w.t.Errorf("the page is %q, %v; want %q", got, err, want)
	}
}

func (w *upWorld) status() upStatus {
	w.t.Helper()
	report := decode[struct {
		Status upStatus `json:"status"`
	}](w.t, try(w.t, "", "status", "--dir", w.dir, "--json").out)
	return report.Status
}

// TestUp is a site as an operator has it, with keys of its own: put up, watched, drained,
// a router lost, told to end, and put up again at the same address.
func TestUp(t *testing.T) {
	t.Parallel()
	w := newUpWorld(t)
	args := append(w.routers, "--site", page(t, "hello"))
	p, v := w.up(args...)
	if v.MadeKeys != filepath.Join(w.dir, "destination.dat") || v.URL != "http://"+v.Destination+"/" || len(v.Routers) != 3 {
		t.Errorf("it prints %+v", v)
	}
	w.wantPage(v.Destination, "hello")
	p.says("the site is served")
	for _, words := range []string{"the router has our session\" router=a dontPublishLeaseSet=inverted", "the router has tunnels for us\" router=b", "routers=2 of=2"} {
		p.says(words)
	}
	text := do(t, "status", "--dir", w.dir)
	for _, want := range []string{"up is ready\n", "[+] members: 2 up\n", "[+] publishers: 1 up\n", "[+] leaseset: leases ", " of 2 routers", "publisher  up", "site     builtin", "GATEWAY"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
	w.wantDoctor(v.Destination)
	second := append([]string{"up", "--dir", w.dir}, args...)
	fails(t, exitFailed, []string{"another process runs", "another directory"}, "", second...)
	fails(t, exitFailed, []string{"stop the program that has it open"}, "", append(second, "--control", filepath.Join(t.TempDir(), "c"))...)

	// A drain, and back.
	if got := do(t, "drain", "a", "--dir", w.dir); got != "Router a drains.\n" {
		t.Errorf("drain: %s", got)
	}
	if text := try(t, "", "status", "--dir", w.dir).out; !strings.Contains(text, "[!] drain a: taken out of service") || !strings.Contains(text, "drains for") {
		t.Errorf("while a drains:\n%s", text)
	}
	fails(t, exitFailed, []string{"no other member"}, "", "drain", "b", "--dir", w.dir)
	fails(t, exitFailed, []string{"there are a, b, c"}, "", "drain", "d", "--control", v.Control)
	fails(t, exitFailed, []string{"can be stopped as it is"}, "", "drain", "c", "--dir", w.dir)
	w.wantPage(v.Destination, "hello")
	w.wantDrained("a", "b")
	if got := do(t, "undrain", "a", "--dir", w.dir); got != "Router a is in service.\n" {
		t.Errorf("undrain: %s", got)
	}

	// A member is lost while visitors come, and then the whole process.
	w.network.Router("member-2").Kill()
	var visitors sync.WaitGroup
	for range 2 {
		visitor := w.network.Remote()
		visitors.Go(func() {
			if got, err := getBy(visitor, v.Destination, "/"); got != "hello" || err != nil {
				t.Errorf("the page is %q, %v while a member is lost", got, err)
			}
		})
	}
	until(t, "the loss is seen", func() bool {
		s := w.status()
		return s.Balancer.LeaseSet.Routers == 1 && !s.Frontends[1].RouterUp
	})
	visitors.Wait()
	p.kill()
	if r := try(t, "", "doctor", "--quick", "--running", "--dir", w.dir); r.code != exitFailed || !strings.Contains(r.out, "fail  cluster "+w.dir) || !strings.Contains(r.out, "-> Start it with this --dir") {
		t.Errorf("doctor of a site that has ended: exit code %d\n%s", r.code, r.out)
	}

	again, v2 := w.up(append(w.routers, "--echo")...)
	if v2.Destination != v.Destination || v2.MadeKeys != "" {
		t.Errorf("at the next start it is %+v", v2)
	}
	again.end()
	if _, err := os.Stat(v.Control); err == nil {
		t.Error("the control socket is left")
	}
	if err := os.Remove(v.MadeKeys); err != nil {
		t.Fatal(err)
	}
	fails(t, exitFailed, []string{"has the state of a Destination, and not its keys", "--keys"}, "", second...)
}

// wantDrained drains the one of two members that a visitor is not on, and waits for that;
// and the other in vain, since the visitor stays for two minutes.
func (w *upWorld) wantDrained(names ...string) {
	w.t.Helper()
	served := map[string]int{}
	for _, f := range w.status().Backend.Frontends {
		served[f.Name] = f.Remotes
	}
	for _, name := range names {
		for _, other := range names {
			if other != name {
				do(w.t, "undrain", other, "--dir", w.dir)
			}
		}
		if served[name] == 0 {
			if got := do(w.t, "drain", name, "--dir", w.dir, "--wait"); !strings.Contains(got, "can be stopped: nobody is on it.") {
				w.t.Errorf("it waits for nobody: %s", got)
			}
			continue
		}
		p := start(w.t, "drain", name, "--dir", w.dir, "--wait")
		p.says(name + " drains: 1 visitor left, it is closed in ")
		do(w.t, "undrain", name, "--dir", w.dir)
		if got := code(w.t, p.cmd.Wait()); got != exitFailed || !strings.Contains(p.log(), errUndrained.Error()) {
			w.t.Errorf("exit code %d when it was undone: %s", got, p.log())
		}
	}
}

// TestUpProxy passes on what visitors want, by a file, and takes what SIGHUP can.
func TestUpProxy(t *testing.T) {
	t.Parallel()
	w := newUpWorld(t)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) { io.WriteString(rw, "behind") })}
	go server.Serve(ln)
	t.Cleanup(func() { server.Close() })
	keys := keyFile(t)
	own, err := i2p.ReadKeyFile(keys)
	if err != nil {
		t.Fatal(err)
	}
	file, program := filepath.Join(t.TempDir(), "up.toml"), sitePlugin(t, "1.0")
	text := func(root, more string) string {
		return "keys = \"" + keys + "\"\n" + more + "[[service]]\nbuiltin = \"proxy\"\nsettings = { target = \"http://" + ln.Addr().String() + "\" }\n" +
			"[[service]]\nname = \"files\"\npath = \"" + program + "\"\nsettings = { port = 81, root = \"" + root + "\" }\n"
	}
	one, two := page(t, "one"), page(t, "two")
	write(t, file, text(one, ""))
	p, v := w.up(append(w.routers, "--config", file)...)
	if v.Destination != own.Destination.Base32() || v.MadeKeys != "" {
		t.Errorf("it prints %+v", v)
	}
	w.wantPage(v.Destination, "behind")
	// Until its process has opened the port, what comes to it is the proxy's.
	until(t, "the plugin has its port", func() bool {
		got, _ := w.get(v.Destination+":81", "/")
		return got == "one"
	})
	reload := func(text, says string) {
		t.Helper()
		write(t, file, text)
		p.cmd.Process.Signal(syscall.SIGHUP)
		p.says(says)
	}
	reload(text(two, "tunels = 2\n"), `unknown key \"tunels\": did you mean \"tunnels\"?`)
	reload(text(two, "tunnels = 2\n"), "tunnels: nothing was changed")
	reload(strings.Replace(text(two, ""), "http://127", "http://128", 1), "it is built in")
	w.wantPage(v.Destination+":81", "one")
	reload(text(two, ""), "changed plugins read again")
	w.wantPage(v.Destination+":81", "two")
	if got := do(t, "plugin", "reload", "files", "--dir", w.dir); !strings.Contains(got, "files") {
		t.Errorf("plugin reload: %s", got)
	}
	p.end()
}

// begin begins a download of a file that is too large for what is on its way; what it
// returns reads the rest.
func (w *upWorld) begin(b32 string) func() (int64, error) {
	w.t.Helper()
	client := http.Client{Transport: &http.Transport{DialContext: w.visitor.DialContext, DisableKeepAlives: true}}
	response, err := client.Get("http://" + b32 + "/large.bin")
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { response.Body.Close() })
	return func() (int64, error) { return io.Copy(io.Discard, response.Body) }
}

// TestUpDrains: what is open when it is told to end goes on, for as long as it may, or until
// it is told once more.
func TestUpDrains(t *testing.T) {
	t.Parallel()
	const large = 700_000 // bytes: more than a stream has on its way
	w := newUpWorld(t)
	root := t.TempDir()
	write(t, filepath.Join(root, "large.bin"), strings.Repeat("x", large))
	args := append(w.routers, "--site", root)
	p, v := w.up(args...)
	rest := w.begin(v.Destination)
	p.cmd.Process.Signal(syscall.SIGTERM)
	until(t, "it drains", func() bool { return w.status().Backend.Draining })
	if n, err := rest(); n != large || err != nil {
		t.Errorf("%d bytes of the file came, %v", n, err)
	}
	if got := code(t, p.cmd.Wait()); got != 0 {
		t.Errorf("exit code %d: %s", got, p.log())
	}
	for _, c := range []struct{ limit, says string }{{"1s", "ended before its streams had, after 1s"}, {"1m", "ended before its streams had"}} {
		w.dir = t.TempDir() // another Destination, whose first tunnels are there at once
		p, v := w.up(append(args, "--drain-limit", c.limit)...)
		_ = w.begin(v.Destination) // and does not read on
		p.cmd.Process.Signal(syscall.SIGTERM)
		p.says("up drains")
		if c.limit == "1m" {
			p.cmd.Process.Signal(syscall.SIGTERM)
		}
		if got := code(t, p.cmd.Wait()); got != exitFailed || !strings.Contains(p.log(), c.says) {
			t.Errorf("exit code %d with a limit of %s: %s", got, c.limit, p.log())
		}
	}
}

// TestUpRefused: what is wrong is named, and nothing is started.
func TestUpRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	keys, open := keyFile(t), filepath.Join(dir, "open.dat")
	text, err := os.ReadFile(keys)
	if err != nil {
		t.Fatal(err)
	}
	write(t, open, string(text))
	other := t.TempDir()
	if err := os.Rename(keyFile(t), filepath.Join(other, "destination.dat")); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		code int
		says []string
		args string
	}{
		{exitUsage, []string{"--dir is not set"}, "R --echo"},
		{exitUsage, []string{"no router to be on", "--router NAME=HOST:PORT"}, "D --echo"},
		{exitUsage, []string{"no router is a publisher", "small router"}, "D --echo --router a=127.0.0.1:1,member"},
		{exitUsage, []string{"no router is a member"}, "D --echo --router a=127.0.0.1:1,publisher"},
		{exitUsage, []string{"a refuge has another key", "router of its own"}, "D R --echo --router b=127.0.0.1:2,refuge,member"},
		{exitUsage, []string{`two routers are called "a"`}, "D R --echo --router a=127.0.0.1:2"},
		{exitUsage, []string{`router "A!"`, "1 to 64 of a-z"}, "D R --echo --router A!=127.0.0.1:2"},
		{exitUsage, []string{"want host:port of its I2CP"}, "D --echo --router a=7654"},
		{exitUsage, []string{"192.0.2.1:7654 is not on this machine"}, "D --echo --router a=192.0.2.1:7654"},
		{exitUsage, []string{"nothing to serve", "--proxy"}, "D R"},
		{exitUsage, []string{"no directory", "/nowhere"}, "D R --site /nowhere"},
		{exitUsage, []string{"target"}, "D R --proxy gopher://x"},
		{exitUsage, []string{"--tunnels 17", "1 to 16"}, "D R --echo --tunnels 17"},
		{exitUsage, []string{"--hops 8", "1 to 7"}, "D R --echo --hops 8"},
		{exitUsage, []string{"--hops 0", "-1 for none"}, "D R --echo --hops 0"},
		{exitUsage, []string{"--drain-limit 0s", "more than 0s"}, "D R --echo --drain-limit 0s"},
		{exitUsage, []string{"--admin-token-file", "go with --admin"}, "D R --echo --admin-token-file x"},
		{exitFailed, []string{"/nowhere"}, "D R --echo --keys /nowhere"},
		{exitFailed, []string{"chmod 600"}, "D R --echo --keys OPEN"},
		{exitFailed, []string{"keeps the keys of another Destination"}, "--dir OTHER R --echo --keys KEYS"},
		{exitFailed, []string{"want a private key file"}, "D R --echo --keys SELF"},
		{exitUsage, []string{"frontend x of a cluster"}, "--dir NODE R --echo"},
	} {
		node := filepath.Join(dir, "node")
		if err := os.MkdirAll(node, 0o700); err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(node, "node.json"), `{"cluster": "c", "role": "frontend", "name": "x"}`)
		args := strings.NewReplacer("NODE", node, "OTHER", other, "KEYS", keys, "OPEN", open, "SELF", filepath.Join(node, "node.json"), "D ", "--dir "+filepath.Join(dir, "d")+" ", "R", "--router a=127.0.0.1:1").Replace(c.args)
		fails(t, c.code, c.says, "", append([]string{"up"}, strings.Fields(args)...)...)
	}
	if _, err := os.Stat(filepath.Join(dir, "d")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a directory was left behind: %v", err)
	}
	fails(t, exitFailed, []string{"no onelease up runs with --dir"}, "", "drain", "a", "--dir", dir)
	fails(t, exitFailed, []string{"no such file"}, "", "drain", "a", "--control", filepath.Join(dir, "c"))
	fails(t, exitUsage, []string{"--dir and --control"}, "", "drain", "a", "--control", "c", "--dir", "d")
	fails(t, exitUsage, []string{"--dir is not set"}, "", "drain", "a")
}
