package plugin

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"time"
)

// A load makes streams all the time, none of which may be refused or broken.
type load struct {
	quit    chan struct{}
	all     sync.WaitGroup
	mu      sync.Mutex
	streams int
	errs    []error
}

func (r *rig) load(workers int) *load {
	r.t.Helper()
	r.node.await(r.t, echoPort).Close()
	l := &load{quit: make(chan struct{})}
	for range workers {
		l.all.Go(func() {
			for !isClosed(l.quit) {
				err := oneStream(r.node)
				l.mu.Lock()
				l.streams++
				if err != nil {
					l.errs = append(l.errs, err)
				}
				l.mu.Unlock()
			}
		})
	}
	return l
}

func oneStream(node *memNode) error {
	c, err := node.dial(context.Background(), echoPort)
	if err != nil {
		return err
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(20 * time.Second))
	want := strings.Repeat("x", 10_000)
	go func() { io.WriteString(c, want); c.(memStream).CloseWrite() }()
	got, err := io.ReadAll(c)
	if err == nil && string(got) != want {
		return io.ErrUnexpectedEOF
	}
	return err
}

func (l *load) end() (streams int, errs []error) {
	close(l.quit)
	l.all.Wait()
	return l.streams, l.errs
}

func (l *load) stop(t *testing.T) {
	t.Helper()
	streams, errs := l.end()
	t.Logf("%d streams meanwhile", streams)
	if streams == 0 || len(errs) > 0 {
		t.Errorf("%d of %d streams failed: %v", len(errs), streams, errors.Join(errs...))
	}
}
