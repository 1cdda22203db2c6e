package onelease_test

import (
	"context"
	"errors"
	"io"
	"net"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/onelease/onelease"
	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/simnet"
	"github.com/onelease/onelease/test/embedded"
)

// echoOn returns what streams bring until ln is closed.
func echoOn(ln net.Listener) {
	for {
		c, err := ln.Accept()
		if err != nil {
			return
		}
		go func() {
			defer c.Close()
			io.Copy(c, c)
		}()
	}
}

// One that only dials has no LeaseSet in the netDB and no session on the publisher.
// Its streams survive the loss of either of its routers.
func TestHostingOutboundOnly(t *testing.T) {
	for _, killed := range []string{"member-1", "member-2"} {
		t.Run(killed, func(t *testing.T) {
			inHosting(t, embedded.Config{}, onelease.HostingConfig{}, func(w *hostingWorld) {
				server := w.open(onelease.Opening{Publish: true})
				serveEcho(t, server, 7)
				client := w.open(onelease.Opening{})
				w.untilPublished(server)
				c := w.dial(client, server, 7)
				defer c.Close()
				if err := ask(c, "before\n"); err != nil {
					t.Fatal(err)
				}
				hash := client.Keys().Destination.Hash()
				if _, ok := w.network.Lookup(hash); ok {
					t.Error("it is in the netDB")
				}
				if _, ok := w.network.Router("publisher").Session(hash); ok {
					t.Error("it has a session on the publisher")
				}
				time.Sleep(130 * time.Second) // sessions that are younger cannot be taken over
				w.network.Router(killed).Kill()
				began := time.Now()
				if err := ask(c, "after\n"); err != nil {
					t.Fatalf("%v\n%s", err, w.log.tail())
				}
				t.Logf("the stream went on after %v", time.Since(began))
			})
		})
	}
}

// Destinations that are near reach each other when all routers are gone, published or
// not, with streams that began before and with new ones.
func TestHostingNear(t *testing.T) {
	inHosting(t, embedded.Config{}, onelease.HostingConfig{Near: true}, func(w *hostingWorld) {
		server, client := w.open(onelease.Opening{}), w.open(onelease.Opening{})
		serveEcho(t, server, 7)
		before := w.dial(client, server, 7)
		defer before.Close()
		for _, name := range []string{"member-1", "member-2", "publisher"} {
			w.network.Router(name).Kill()
		}
		after := w.dial(client, server, 7)
		defer after.Close()
		for _, c := range []net.Conn{before, after} {
			began := time.Now()
			if err := ask(c, "neighbor\n"); err != nil {
				t.Fatal(err)
			}
			if took := time.Since(began); took > time.Second {
				t.Errorf("it took %v", took)
			}
		}
	})
}

// A Destination can be found from when it is published.
func TestHostingPublish(t *testing.T) {
	inHosting(t, embedded.Config{}, onelease.HostingConfig{}, func(w *hostingWorld) {
		server, client := w.open(onelease.Opening{}), w.open(onelease.Opening{})
		serveEcho(t, server, 7)
		server.Publish()
		server.Publish()
		if ls := w.untilPublished(server); len(ls.Leases) != 4 {
			t.Errorf("%d leases, want two of each member", len(ls.Leases))
		}
		c := w.dial(client, server, 7)
		defer c.Close()
		if err := ask(c, "hello\n"); err != nil {
			t.Fatal(err)
		}
	})
}

// What is closed leaves nothing: no session on a router, no goroutine. It is
// opened again with the same keys, and what it publishes then is newer.
func TestHostingAgain(t *testing.T) {
	inHosting(t, embedded.Config{}, onelease.HostingConfig{MaxPerOwner: 1}, func(w *hostingWorld) {
		time.Sleep(time.Minute) // after the time that a last run is thought of
		keys, err := i2p.GenerateKeys()
		if err != nil {
			t.Fatal(err)
		}
		client := w.open(onelease.Opening{Owner: "other"})
		time.Sleep(10 * time.Second) // both its routers are ready
		synctest.Wait()
		before := runtime.NumGoroutine()
		var last *i2p.LeaseSet2
		for range 3 {
			d := w.open(onelease.Opening{Keys: keys, Publish: true})
			serveEcho(t, d, 7)
			for ls := w.untilPublished(d); ; ls = w.untilPublished(d) {
				if last == nil || ls.Published.After(last.Published) {
					last = ls
					break
				}
				time.Sleep(time.Second)
			}
			if _, err := w.tryOpen(onelease.Opening{Keys: keys, Owner: "other"}); !errors.Is(err, onelease.ErrHosted) {
				t.Errorf("opened twice: %v", err)
			}
			if _, err := w.tryOpen(onelease.Opening{}); !errors.Is(err, onelease.ErrQuota) {
				t.Errorf("a second one of the same owner: %v", err)
			}
			c := w.dial(client, d, 7)
			if err := ask(c, "hello\n"); err != nil {
				t.Fatal(err)
			}
			c.Close()
			time.Sleep(2 * time.Second) // both ends know: see docs/limits.md
			if err := d.Close(); err != nil {
				t.Error(err)
			}
			<-d.Done()
			time.Sleep(2 * time.Second)
			for _, name := range []string{"member-1", "member-2", "publisher"} {
				if _, ok := w.network.Router(name).Session(keys.Destination.Hash()); ok {
					t.Errorf("%s has a session still", name)
				}
			}
		}
		left := runtime.NumGoroutine()
		for range 60 { // some of the client's come and go; what was left over would stay
			if synctest.Wait(); left > before {
				time.Sleep(500 * time.Millisecond)
				left = runtime.NumGoroutine()
			}
		}
		if left > before {
			t.Errorf("%d goroutines, before %d", left, before)
		}
		if n := w.hosting.Destinations(); n != 1 {
			t.Errorf("%d Destinations are on the books, want 1", n)
		}
	})
}

// An Open that fails, or is given up, leaves nothing behind.
func TestHostingOpenFails(t *testing.T) {
	inHosting(t, embedded.Config{Profile: simnet.I2PD245}, onelease.HostingConfig{Max: 1}, func(w *hostingWorld) {
		ctx, cancel := context.WithTimeout(w.t.Context(), 100*time.Millisecond)
		defer cancel()
		if _, err := w.hosting.Open(ctx, onelease.Opening{}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("too little time: %v", err)
		}
		began := time.Now()
		if _, err := w.tryOpen(onelease.Opening{Keys: offlineKeys(t)}); !errors.Is(err, onelease.ErrRefused) {
			t.Errorf("offline keys on i2pd: %v", err)
		}
		if took := time.Since(began); took > 2*time.Second {
			t.Errorf("the refusal took %v", took)
		}
		if n := w.hosting.Destinations(); n != 0 {
			t.Errorf("%d are on the books", n)
		}
		done := make(chan error)
		go func() {
			_, err := w.tryOpen(onelease.Opening{})
			done <- err
		}()
		synctest.Wait()
		w.hosting.Close()
		if err := <-done; !errors.Is(err, net.ErrClosed) {
			t.Errorf("closed while it opened: %v", err)
		}
		if _, err := w.tryOpen(onelease.Opening{}); !errors.Is(err, net.ErrClosed) {
			t.Errorf("after Close: %v", err)
		}
	})
}
