package onelease_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/onelease/onelease"
	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/test/embedded"
)

// A hostingWorld is an embedded network with a Hosting on it.
type hostingWorld struct {
	t       *testing.T
	network *embedded.Network
	hosting *onelease.Hosting
	log     logBuffer // which names nobody above debug level

	mu     sync.Mutex
	opened []i2p.Destination
}

// inHosting runs test in a bubble, in which nothing may be left when it ends.
func inHosting(t *testing.T, network embedded.Config, cfg onelease.HostingConfig, test func(w *hostingWorld)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &hostingWorld{t: t, network: embedded.Start(network)}
		defer w.network.Close()
		cfg.Routers = append(w.network.Routers(), cfg.Routers...)
		cfg.Logger = slog.New(slog.NewTextHandler(&w.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
		var err error
		if w.hosting, err = onelease.NewHosting(cfg); err != nil {
			t.Fatal(err)
		}
		defer func() { w.log.KeepsQuiet(t, w.opened...) }() // closed, it has said all
		defer w.hosting.Close()
		test(w)
	})
}

// open opens a Destination within a minute.
func (w *hostingWorld) open(o onelease.Opening) *onelease.Hosted {
	w.t.Helper()
	d, err := w.tryOpen(o)
	if err != nil {
		w.t.Fatalf("%v\n%s", err, w.log.tail())
	}
	return d
}

func (w *hostingWorld) tryOpen(o onelease.Opening) (*onelease.Hosted, error) {
	ctx, cancel := context.WithTimeout(w.t.Context(), time.Minute)
	defer cancel()
	d, err := w.hosting.Open(ctx, o)
	if err == nil {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.opened = append(w.opened, d.Keys().Destination)
	}
	return d, err
}

// serveEcho has d echo on a port until it is closed.
func serveEcho(t *testing.T, d *onelease.Hosted, port uint16) {
	t.Helper()
	ln, err := d.Host().Listen(port)
	if err != nil {
		t.Fatal(err)
	}
	go echoOn(ln)
}

// untilPublished waits until the netDB has d.
func (w *hostingWorld) untilPublished(d *onelease.Hosted) *i2p.LeaseSet2 {
	w.t.Helper()
	for began := time.Now(); time.Since(began) < 2*time.Minute; time.Sleep(50 * time.Millisecond) {
		raw, ok := w.network.Lookup(d.Keys().Destination.Hash())
		if !ok {
			continue
		}
		ls, _, err := i2p.ParseLeaseSet2(raw)
		if err == nil {
			err = ls.Verify()
		}
		if err != nil {
			w.t.Fatal(err)
		}
		return ls
	}
	w.t.Fatalf("not in the netDB\n%s", w.log.tail())
	return nil
}

// ask sends a line by c and wants it back.
func ask(c net.Conn, line string) error {
	c.SetDeadline(time.Now().Add(3 * time.Minute))
	if _, err := io.WriteString(c, line); err != nil {
		return err
	}
	got := make([]byte, len(line))
	if _, err := io.ReadFull(c, got); err != nil {
		return err
	}
	if string(got) != line {
		return fmt.Errorf("%q came back as %q", line, got)
	}
	return nil
}

// dial may take as long as a router keeps a LeaseSet whose tunnels are gone.
func (w *hostingWorld) dial(from, to *onelease.Hosted, port uint16) net.Conn {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), 3*time.Minute)
	defer cancel()
	c, err := from.Host().DialContext(ctx, "i2p", fmt.Sprintf("%s:%d", to.Keys().Destination.Base32(), port))
	if err != nil {
		w.t.Fatalf("%v\n%s", err, w.log.tail())
	}
	return c
}
