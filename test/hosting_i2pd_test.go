package test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"testing"
	"time"

	"github.com/onelease/onelease"
	"github.com/onelease/onelease/balancer"
	"github.com/onelease/onelease/frontend"
	"github.com/onelease/onelease/frontend/guest"
	"github.com/onelease/onelease/frontend/guest/guesttest"
	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/i2cp"
	"github.com/onelease/onelease/test/i2pd"
)

// TestHosting has Destinations that come and go on stock routers: one that only dials and is
// in no netDB, one that serves, and one with offline-signed keys, which these refuse. The
// stream between the first two outlives the router that carries it. All routers but one
// are reached as from another process: what it has there are guests of their frontends.
func TestHosting(t *testing.T) {
	i2pd.Require(t)
	t.Parallel() // with what is as patient
	x := &hostingOnI2PD{routers: i2pd.Start(t, i2pd.Config{Routers: 13, Floodfills: floodfills, Killable: members})}
	x.start(t)
	keys := newKeys(t)
	if err := x.open(t, onelease.Opening{Keys: keys}).Close(); err != nil {
		t.Error(err)
	}
	server, client := x.open(t, onelease.Opening{Keys: keys, Publish: true}), x.open(t, onelease.Opening{}) // one of them at once again
	x.checkOffline(t)
	x.serve(t, server)
	x.checkLookup(t, server)
	conn := x.dial(t, client, server)
	x.ask(t, conn, "the first")
	for began := time.Now(); time.Since(began) < ageTime; time.Sleep(5 * time.Second) {
		x.ask(t, conn, "more") // as sessions grow old
	}
	if held := x.routers.LookupLeaseSet(t.Context(), client.Keys().Destination.Hash()); len(held) > 0 {
		t.Errorf("one that only dials is in the netDB of %d routers", len(held))
	}
	victim := busiest(client)
	x.routers.Router(victim).Kill()
	if took := x.ask(t, conn, "after the loss"); took > 20*time.Second {
		t.Errorf("the stream stood still for %v", took)
	} else {
		t.Logf("%s, killed: the stream went on after %.2f s", routerName(victim), took.Seconds())
	}
	if err := errors.Join(client.Close(), server.Close()); err != nil {
		t.Error(err)
	}
}

type hostingOnI2PD struct {
	routers *i2pd.Network
	hosting *onelease.Hosting
}

func (x *hostingOnI2PD) start(t *testing.T) {
	t.Helper()
	var err error
	routers := withPublisher(x.routers, members)
	x.hosting, err = onelease.NewHosting(onelease.HostingConfig{
		Routers: routers[3:], Frontends: []onelease.RemoteFrontend{asGuest(t, routers[0]), asGuest(t, routers[1]), asGuest(t, routers[2])},
		Policy: balancer.Policy{Hops: 1}, Logger: quiet(t),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { x.hosting.Close() })
}

// asGuest starts what a frontend process has for guests on that router.
func asGuest(t *testing.T, r onelease.Router) onelease.RemoteFrontend {
	t.Helper()
	server := guest.ServerConfig{Name: r.Name, Member: r.Member, Publisher: r.Publisher, Logger: quiet(t)}
	p := guesttest.New(server, frontend.RouterConfig{Addr: r.Addr, Dial: r.Dial}, r.DontPublish)
	p.Start()
	t.Cleanup(p.Kill)
	return onelease.RemoteFrontend{Name: r.Name, Dial: p.Dial, Member: r.Member, Publisher: r.Publisher}
}

func (x *hostingOnI2PD) open(t *testing.T, o onelease.Opening) *onelease.Hosted {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	began := time.Now()
	d, err := x.hosting.Open(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("a Destination is open after %.1f s", time.Since(began).Seconds())
	return d
}

func (x *hostingOnI2PD) checkOffline(t *testing.T) {
	t.Helper()
	keys, transient := newKeys(t), newKeys(t)
	offline, err := i2p.SignOffline(keys, transient.Destination.SigningKey(), time.Now().Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	keys.Signing, keys.Offline = transient.Signing, offline
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if d, err := x.hosting.Open(ctx, onelease.Opening{Keys: keys}); !errors.Is(err, onelease.ErrRefused) {
		t.Errorf("offline-signed keys: %v, %v; if this i2pd takes them, say so in docs/limits.md", d, err)
	}
}

func (x *hostingOnI2PD) serve(t *testing.T, d *onelease.Hosted) {
	t.Helper()
	ln, err := d.Host().Listen(7)
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				_, _ = io.Copy(c, c)
			}()
		}
	}()
}

// checkLookup asks without a Destination, as one does before there is a session.
func (x *hostingOnI2PD) checkLookup(t *testing.T, d *onelease.Hosted) {
	t.Helper()
	want := d.Keys().Destination
	var err error
	took := await(t, 2*time.Minute, "the Destination is found", func() bool {
		var got i2p.Destination
		got, err = x.hosting.Lookup(t.Context(), want.Base32())
		return err == nil && got == want
	})
	t.Logf("found after %.1f s", took.Seconds())
	if _, err := x.hosting.Lookup(t.Context(), "nobody.i2p"); !errors.Is(err, i2cp.ErrNotFound) {
		t.Errorf("a name that no address book has: %v", err)
	}
}

func (x *hostingOnI2PD) dial(t *testing.T, from, to *onelease.Hosted) net.Conn {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
	defer cancel()
	conn, err := from.Host().DialContext(ctx, i2p.Network, fmt.Sprintf("%s:7", to.Keys().Destination.Base32()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// ask sends a line, wants it back, and returns how long that took.
func (x *hostingOnI2PD) ask(t *testing.T, conn net.Conn, line string) time.Duration {
	t.Helper()
	began := time.Now()
	if err := conn.SetDeadline(began.Add(3 * time.Minute)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, line); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, len(line))
	if _, err := io.ReadFull(conn, got); err != nil || string(got) != line {
		t.Fatalf("%q came back as %q, %v", line, got, err)
	}
	return time.Since(began)
}

// busiest is the router by which d has heard most.
func busiest(d *onelease.Hosted) (number int) {
	var most uint64
	for _, f := range d.Host().Stats().Frontends {
		for _, i := range members {
			if f.Name == routerName(i) && f.In > most {
				number, most = i, f.In
			}
		}
	}
	return number
}
