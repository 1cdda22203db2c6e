package plugin

import (
	"context"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/onelease/onelease/backend"
	"github.com/onelease/onelease/internal/logtest"
)

// program is the path of a fake of that kind, "good" or "good-2".
func program(t testing.TB, kind string) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), kind)
	if err := os.Symlink(self, path); err != nil {
		t.Fatal(err)
	}
	return path
}

// A rig is a Supervisor at work.
type rig struct {
	t    testing.TB
	node *memNode
	sup  *Supervisor
	logs *logtest.Buffer
	end  context.CancelFunc
	done chan error

	began time.Time // Serve
}

// fast makes what takes seconds take less.
func fast(s *Supervisor) {
	s.timing.health = 200 * time.Millisecond
	s.timing.accept = 2 * time.Second
	s.timing.preface = 200 * time.Millisecond
	s.timing.portGrace = 500 * time.Millisecond
	s.timing.backoff.first = 50 * time.Millisecond
	s.timing.backoff.most = 200 * time.Millisecond
}

func start(t testing.TB, c Config, change ...func(*Supervisor)) *rig {
	t.Helper()
	logs := new(logtest.Buffer)
	log := slog.New(slog.NewTextHandler(logs, &slog.HandlerOptions{Level: slog.LevelDebug}))
	return startOn(t, newMemNode(t, log), logs, c, change...)
}

func startOn(t testing.TB, node *memNode, logs *logtest.Buffer, c Config, change ...func(*Supervisor)) *rig {
	t.Helper()
	if c.Name == "" {
		c.Name = "site"
	}
	sup, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range change {
		f(sup)
	}
	r := &rig{t: t, node: node, sup: sup, logs: logs, done: make(chan error, 1)}
	ctx, cancel := context.WithCancel(context.Background())
	r.end, r.began = cancel, time.Now()
	go func() { r.done <- sup.Serve(ctx, node) }()
	t.Cleanup(func() {
		cancel()
		<-sup.idle()
		if t.Failed() {
			all := logs.String()
			t.Logf("log:\n%s", all[max(0, len(all)-8000):])
		}
	})
	return r
}

// idle is closed when Serve does not run.
func (s *Supervisor) idle() <-chan struct{} {
	c := make(chan struct{})
	go func() {
		defer close(c)
		for {
			s.mu.Lock()
			serving := s.serving
			s.mu.Unlock()
			if !serving {
				return
			}
			time.Sleep(time.Millisecond)
		}
	}()
	return c
}

// stop ends Serve, and wants nil of it.
func (r *rig) stop() {
	r.t.Helper()
	r.end()
	r.wait(nil)
}

func (r *rig) wait(want error) {
	r.t.Helper()
	select {
	case err := <-r.done:
		if err != want {
			r.t.Errorf("Serve: %v, want %v", err, want)
		}
	case <-time.After(30 * time.Second):
		r.t.Fatal("Serve does not end")
	}
}

// until waits for what happens in another process.
func until(t testing.TB, what string, is func() bool) {
	t.Helper()
	for by := time.Now().Add(30 * time.Second); !is(); {
		if time.Now().After(by) {
			t.Fatalf("waited for %s", what)
		}
		time.Sleep(2 * time.Millisecond)
	}
}

func (r *rig) untilLogged(text string) {
	r.t.Helper()
	until(r.t, "the log to say "+text, func() bool { return strings.Contains(r.logs.String(), text) })
}

func (r *rig) pid() int {
	for _, i := range r.sup.Stats().Instances {
		if i.State == Running {
			return i.PID
		}
	}
	return 0
}

func (r *rig) untilRunning() (pid int) {
	r.t.Helper()
	until(r.t, "a running plugin", func() bool { pid = r.pid(); return pid != 0 })
	return pid
}

// A neighbour is another service on the same Node, which must feel nothing.
type neighbour struct {
	cancel context.CancelFunc
	done   chan struct{}
	mu     sync.Mutex
	rounds int
	worst  time.Duration
	err    error
}

const neighbourPort = 99

func beside(t *testing.T, node *memNode) *neighbour {
	t.Helper()
	ln, err := node.Listen(neighbourPort)
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go func() { io.Copy(c, c); c.Close() }()
		}
	}()
	ctx, cancel := context.WithCancel(context.Background())
	n := &neighbour{cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(n.done)
		for ctx.Err() == nil {
			n.round(node)
			time.Sleep(time.Millisecond)
		}
	}()
	t.Cleanup(func() { cancel(); <-n.done; ln.Close() })
	return n
}

func (n *neighbour) round(node *memNode) {
	began := time.Now()
	c, err := node.dial(context.Background(), neighbourPort)
	if err == nil {
		_, err = c.Write([]byte("x"))
		if err == nil {
			_, err = io.ReadFull(c, make([]byte, 1))
		}
		c.Close()
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.rounds++
	n.worst = max(n.worst, time.Since(began))
	if err != nil {
		n.err = err
	}
}

// check wants that nothing failed, and that nothing took as long as a plugin's troubles.
func (n *neighbour) check(t *testing.T) {
	t.Helper()
	n.cancel()
	<-n.done
	t.Logf("the service beside: %d rounds, the longest took %v", n.rounds, n.worst)
	if n.err != nil || n.rounds == 0 || n.worst > time.Second {
		t.Errorf("the service beside: %d rounds, longest %v, error %v", n.rounds, n.worst, n.err)
	}
}

var _ backend.Service = (*Supervisor)(nil)
