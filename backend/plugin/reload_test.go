package plugin

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/onelease/onelease/backend/plugin/catalog"
)

// installed has the kinds of fakes one after the other under one path.
type installed struct {
	t    *testing.T
	path string
}

func install(t *testing.T, kind string) *installed {
	p := &installed{t, filepath.Join(t.TempDir(), "program")}
	p.put(kind)
	return p
}

// put has the path be that fake, at once. Each has a checksum of its own.
func (p *installed) put(kind string) {
	p.t.Helper()
	next := p.path + ".new"
	script := "#!/bin/sh\nexec " + program(p.t, kind) + "\n"
	if err := errors.Join(os.WriteFile(next, []byte(script), 0o755), os.Rename(next, p.path)); err != nil {
		p.t.Fatal(err)
	}
}

// version is what a new stream is told.
func (r *rig) version() string {
	r.t.Helper()
	c := r.node.await(r.t, versionPort)
	defer c.Close()
	c.SetDeadline(time.Now().Add(20 * time.Second))
	b, err := io.ReadAll(c)
	if err != nil {
		r.t.Fatal(err)
	}
	return string(b)
}

func TestReload(t *testing.T) {
	p := install(t, "good-1")
	r := start(t, Config{Path: p.path}, fast)
	n := beside(t, r.node)
	old := r.node.await(t, echoPort)
	echo(t, old, "begun with the old one")
	load := r.load(4)
	p.put("late-2") // it takes a while to be ready
	if err := r.sup.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	if v := r.version(); v != "2" {
		t.Errorf("new streams get version %q", v)
	}
	echo(t, old, "goes on with the old one")
	if s := r.sup.Stats(); len(s.Instances) != 2 || s.Instances[0].State != Running || s.Instances[1].State != Draining || s.Instances[1].Version != "1" {
		t.Errorf("%+v", s)
	}
	old.(memStream).CloseWrite()
	if _, err := io.ReadAll(old); err != nil {
		t.Errorf("the old stream: %v", err)
	}
	until(t, "the end of the old one", func() bool { return len(r.sup.Stats().Instances) == 1 })
	load.stop(t)
	n.check(t)
	if s := r.sup.Stats(); s.Broken != 0 || s.Reloads != 1 || s.Restarts != 0 || s.Ports != 4 {
		t.Errorf("%+v", s)
	}
}

// The same with backend.Serve, again and again.
func TestReloads(t *testing.T) {
	p := install(t, "served-0")
	r := start(t, Config{Path: p.path}, fast)
	r.node.await(t, echoPort).Close()
	load := r.load(4)
	for i := range 3 {
		p.put(fmt.Sprint("served-", i+1))
		before := r.sup.Stats().Streams
		if err := r.sup.Reload(t.Context()); err != nil {
			t.Fatal(err)
		}
		until(t, "streams", func() bool { return r.sup.Stats().Streams > before+50 })
	}
	load.stop(t)
	if s := r.sup.Stats(); s.Broken != 0 || s.Unaccepted != 0 || s.Restarts != 0 || s.Reloads != 3 {
		t.Errorf("%+v", s)
	}
}

func TestReloadOfWhatDoesNotStart(t *testing.T) {
	p := install(t, "good-1")
	r := start(t, Config{Path: p.path, StartLimit: 3 * time.Second}, fast)
	pid := r.untilRunning()
	load := r.load(2)
	for kind, want := range map[string]error{"garbage": ErrNotPlugin, "settings": ErrSettings, "hang": ErrStartLimit, "future": ErrVersion} {
		p.put(kind)
		if err := r.sup.Reload(t.Context()); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", kind, err, want)
		}
	}
	p.put("fails")
	if err := r.sup.Reload(t.Context()); err == nil || !strings.Contains(err.Error(), "database") {
		t.Errorf("one that fails before it opens a port: %v", err)
	}
	os.Remove(p.path)
	if err := r.sup.Reload(t.Context()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("none: %v", err)
	}
	load.stop(t)
	if s := r.sup.Stats(); r.pid() != pid || s.Reloads != 0 || s.Restarts != 0 || s.Broken != 0 {
		t.Errorf("pid %d, was %d; %+v", r.pid(), pid, s)
	}
}

// Streams that the old one was told of and did not accept go to the new one.
func TestReloadTakesStreamsAlong(t *testing.T) {
	p := install(t, "sleeps-1")
	r := start(t, Config{Path: p.path}, fast, func(s *Supervisor) { s.timing.accept = time.Minute })
	c := r.node.await(t, echoPort)
	until(t, "the stream", func() bool { return r.sup.Stats().Waiting == 1 })
	p.put("good-2")
	if err := r.sup.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	echo(t, c, "accepted by the new one")
	c.Close()
}

// A port that the new one does not open any more is closed in the end, and its streams
// of before are finished.
func TestReloadMayDropPorts(t *testing.T) {
	p := install(t, "good-1")
	r := start(t, Config{Path: p.path}, fast)
	c := r.node.await(t, echoPort)
	p.put("portless-2")
	if err := r.sup.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	echo(t, c, "still served")
	c.Close()
	until(t, "the ports to close", func() bool { return r.sup.Stats().Ports == 0 })
}

func TestReloadWhenTheOldOneDies(t *testing.T) {
	p := install(t, "good-1")
	r := start(t, Config{Path: p.path}, fast)
	r.untilRunning()
	p.put("late-2")
	go func() {
		until(t, "both", func() bool { return len(r.sup.Stats().Instances) == 2 })
		r.sup.mu.Lock()
		r.sup.instances[0].killProcess()
		r.sup.mu.Unlock()
	}()
	if err := r.sup.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	if v := r.version(); v != "2" {
		t.Errorf("version %q", v)
	}
}

func TestReloadWithoutServe(t *testing.T) {
	sup, err := New(Config{Name: "site", Path: program(t, "good")})
	if err != nil {
		t.Fatal(err)
	}
	if err := sup.Reload(t.Context()); !errors.Is(err, ErrNotServing) {
		t.Error(err)
	}
}

// The catalog's way: add in place, reload; what is old goes when nothing runs it.
func TestReloadFromTheCatalog(t *testing.T) {
	c, err := catalog.Create(filepath.Join(t.TempDir(), "plugins"))
	if err != nil {
		t.Fatal(err)
	}
	add := func(kind string) catalog.Entry {
		e, err := c.Add(catalog.Entry{Name: "site", NoTLS: true}, install(t, kind).path)
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	first := add("good-1")
	r := start(t, Config{Catalog: c}, fast)
	r.untilRunning()
	add("good-2")
	r.sup.killAll()
	until(t, "a restart", func() bool { return r.sup.Stats().Restarts == 1 && r.pid() != 0 })
	if v := r.version(); v != "1" {
		t.Errorf("a restart runs version %q, want the old one until a Reload", v)
	}
	if err := r.sup.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	if v := r.version(); v != "2" {
		t.Errorf("version %q", v)
	}
	until(t, "the old program's end", func() bool {
		_, err := os.Stat(c.Path(first))
		return errors.Is(err, os.ErrNotExist)
	})
	if err := c.Remove("site"); err != nil {
		t.Fatal(err)
	}
	if err := r.sup.Reload(t.Context()); !errors.Is(err, catalog.ErrNotFound) {
		t.Errorf("removed: %v", err)
	}
	r.version()
	r.stop()
	if left, _ := filepath.Glob(filepath.Join(c.Dir(), "*.plugin")); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
}
