// Package plugins_test has whole plugins: programs as users build them, started by
// plugin.Supervisor, behind a Host, with remotes that speak I2P's streams to it.
package plugins_test

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/onelease/onelease/backend"
	"github.com/onelease/onelease/backend/backendtest"
	"github.com/onelease/onelease/backend/plugin"
	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/streaming"
	"github.com/onelease/onelease/internal/logtest"
)

// patience is how long what should come at once is waited for.
const patience = 30 * time.Second

// build makes the program of a main package of this module.
func build(t testing.TB, pkg string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), filepath.Base(pkg))
	cmd := exec.Command("go", "build", "-o", path, "./"+pkg)
	cmd.Dir = "../.."
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build %s: %v\n%s", pkg, err, out)
	}
	return path
}

// A world is a Host with a plugin as its service, and a remote.
type world struct {
	t        *testing.T
	dest     i2p.Destination
	frontend *backendtest.Frontend
	remote   *backendtest.StreamRemote
	sup      *plugin.Supervisor
	log      logtest.Buffer
	end      func() error
}

func start(t *testing.T, cfg plugin.Config) *world {
	t.Helper()
	keys, err := i2p.GenerateKeys()
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, dest: keys.Destination, frontend: backendtest.NewFrontend(keys.Destination)}
	log := slog.New(slog.NewTextHandler(&w.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	host, err := backend.NewHost(backend.Config{
		Destination: keys.Destination, Signer: keys, Logger: log,
		Frontends: []backend.Frontend{{Name: "f", Dial: w.frontend.Dial}},
	})
	if err != nil {
		t.Fatal(err)
	}
	cfg.MustStart = true
	if w.sup, err = plugin.New(cfg); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- backend.Run(ctx, host, w.sup) }()
	network := backendtest.NewNet(t, []*backendtest.Frontend{w.frontend})
	w.remote = network.NewRemote(0, false)
	w.end = sync.OnceValue(func() error { cancel(); return <-done })
	t.Cleanup(func() {
		if err := w.end(); err != nil {
			t.Error(err)
		}
		network.Close()
		w.frontend.Close()
		w.log.KeepsQuiet(t, w.remote.Destination)
		if t.Failed() {
			t.Logf("log:\n%s", w.log.String())
		}
	})
	w.awaitRunning()
	return w
}

func (w *world) awaitRunning() {
	w.t.Helper()
	for by := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
		for _, i := range w.sup.Stats().Instances {
			if i.State == plugin.Running {
				return
			}
		}
		if time.Now().After(by) {
			w.t.Fatal("the plugin does not run")
		}
	}
}

// dial begins a stream of the remote, which may come before the port is open.
func (w *world) dial(ctx context.Context, port uint16) (net.Conn, error) {
	for {
		c, err := w.remote.Stack.Dial(ctx, streaming.NewRemote(w.dest), 0, port)
		if err == nil || ctx.Err() != nil {
			return c, err
		}
	}
}

// get is what a browser gets.
func (w *world) get(path string) string {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	browser := http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return w.dial(ctx, 80)
	}}}
	defer browser.CloseIdleConnections()
	request, _ := http.NewRequestWithContext(ctx, "GET", "http://plugin.i2p"+path, nil)
	answer, err := browser.Do(request)
	if err != nil {
		w.t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return string(body)
}

// say sends text on a stream and returns all that comes.
func (w *world) say(port uint16, text string) string {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	c, err := w.dial(ctx, port)
	if err != nil {
		w.t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(patience))
	go func() {
		io.WriteString(c, text)
		c.(*streaming.Stream).CloseWrite()
	}()
	answer, err := io.ReadAll(c)
	if err != nil {
		w.t.Fatal(err)
	}
	return string(answer)
}

// idle is a Node for a plugin that does not get as far as to use it.
type idle struct{ dest i2p.Destination }

func (n idle) Destination() i2p.Destination { return n.dest }
func (idle) Logger() *slog.Logger           { return slog.New(slog.DiscardHandler) }
func (idle) Listen(uint16) (net.Listener, error) {
	return nil, net.ErrClosed
}
func (idle) DialContext(context.Context, string, string) (net.Conn, error) {
	return nil, net.ErrClosed
}
func (idle) ListenPacket(backend.Kind, uint16) (net.PacketConn, error) {
	return nil, net.ErrClosed
}
func (idle) Lookup(context.Context, string) (i2p.Destination, error) {
	return i2p.Destination{}, net.ErrClosed
}
