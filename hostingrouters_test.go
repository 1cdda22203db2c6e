package onelease_test

import (
	"errors"
	"log/slog"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/onelease/onelease"
	"github.com/onelease/onelease/frontend"
	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/i2cp"
	"github.com/onelease/onelease/i2p/simnet"
	"github.com/onelease/onelease/test/embedded"
)

// Names and addresses are looked up without a Destination, by whichever router answers.
func TestHostingLookup(t *testing.T) {
	for _, profile := range []simnet.Profile{simnet.I2PD245, simnet.JavaI2P} {
		t.Run(profile.Name, func(t *testing.T) {
			inHosting(t, embedded.Config{Profile: profile}, onelease.HostingConfig{}, func(w *hostingWorld) {
				d := w.open(onelease.Opening{Publish: true, Options: i2p.Mapping{"i2cp.leaseSetOption.0": "_web._tcp=0 7 80 site"}})
				w.untilPublished(d)
				dest := d.Keys().Destination
				w.network.SetName("site.i2p", dest.Hash())
				w.network.Router("member-1").Kill()
				w.network.Router("publisher").Freeze()
				for range 5 { // since the order is any
					for _, name := range []string{"site.i2p", dest.Base32()} {
						began := time.Now()
						got, options, err := w.hosting.LookupOptions(w.t.Context(), name)
						if err != nil || got != dest || profile.I2CP.LooksUpOptions != (options["_web._tcp"] == "0 7 80 site") {
							t.Errorf("%s: %v, options %v, error %v", name, got.Base32(), options, err)
						}
						if took := time.Since(began); took > 4*time.Second {
							t.Errorf("it took %v", took)
						}
					}
				}
				if got, err := w.hosting.Lookup(w.t.Context(), "site.i2p"); err != nil || got != dest {
					t.Errorf("%v, %v", got, err)
				}
				if _, err := w.hosting.Lookup(w.t.Context(), "nobody.i2p"); !errors.Is(err, i2cp.ErrNotFound) {
					t.Errorf("a name that nobody has: %v", err)
				}
				w.hosting.Close()
				if _, err := w.hosting.Lookup(w.t.Context(), "site.i2p"); !errors.Is(err, net.ErrClosed) {
					t.Errorf("after Close: %v", err)
				}
			})
		})
	}
}

// Where the way with an option is to be found out, that is done once for each router, and
// nothing is published that should not be.
func TestHostingFindsQuirks(t *testing.T) {
	for _, profile := range []simnet.Profile{simnet.I2PD245, simnet.I2PD258} {
		t.Run(profile.Name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				network := embedded.Start(embedded.Config{Profile: profile})
				defer network.Close()
				routers := network.Routers()
				for i := range routers {
					routers[i].DontPublish = frontend.Auto
				}
				hosting, err := onelease.NewHosting(onelease.HostingConfig{Routers: routers, Logger: slog.New(slog.DiscardHandler)})
				if err != nil {
					t.Fatal(err)
				}
				defer hosting.Close()
				w := &hostingWorld{t: t, network: network, hosting: hosting}
				client, server := w.open(onelease.Opening{}), w.open(onelease.Opening{Publish: true})
				w.untilPublished(server)
				if _, ok := network.Lookup(client.Keys().Destination.Hash()); ok {
					t.Error("one that only dials is in the netDB")
				}
				began := time.Now()
				w.open(onelease.Opening{})
				if took := time.Since(began); took > 2*time.Second {
					t.Errorf("it took %v once the routers were known", took)
				}
			})
		})
	}
}

// Destinations are spread over the routers that are there.
func TestHostingSpreads(t *testing.T) {
	inHosting(t, embedded.Config{Members: 4}, onelease.HostingConfig{}, func(w *hostingWorld) {
		synctest.Wait() // all are known to be there
		for range 6 {
			w.open(onelease.Opening{})
		}
		for _, r := range w.hosting.Routers() {
			if want := 3; r.Name != "publisher" && (r.Destinations != want || !r.Up) {
				t.Errorf("%+v, want %d Destinations", r, want)
			}
		}
		w.network.Router("member-1").Kill()
		w.network.Router("member-2").Kill()
		time.Sleep(3 * time.Second)
		for range 3 {
			w.open(onelease.Opening{})
		}
		for _, r := range w.hosting.Routers() {
			switch r.Name {
			case "member-1", "member-2":
				if r.Destinations != 3 || r.Up {
					t.Errorf("%+v, which is lost", r)
				}
			case "member-3", "member-4":
				if r.Destinations != 6 || !r.Up {
					t.Errorf("%+v, want 6 Destinations", r)
				}
			}
		}
	})
}

// Where every router serves and publishes, a Destination's routers do both from the start, and it
// can be found and can dial.
func TestHostingBothRoles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := embedded.Start(embedded.Config{})
		defer network.Close()
		routers := network.Routers()[:2]
		for i := range routers {
			routers[i].Publisher = true
		}
		hosting, err := onelease.NewHosting(onelease.HostingConfig{Routers: routers, Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		defer hosting.Close()
		w := &hostingWorld{t: t, network: network, hosting: hosting}
		server, client := w.open(onelease.Opening{}), w.open(onelease.Opening{})
		serveEcho(t, server, 7)
		w.untilPublished(server)
		c := w.dial(client, server, 7)
		defer c.Close()
		if err := ask(c, "hello\n"); err != nil {
			t.Fatal(err)
		}
	})
}

// A Destination is opened while one of its routers is away, is found, and takes the router in
// when that is back.
func TestHostingMemberAway(t *testing.T) {
	inHosting(t, embedded.Config{}, onelease.HostingConfig{}, func(w *hostingWorld) {
		away := w.network.Router("member-1")
		away.Kill()
		began := time.Now()
		d := w.open(onelease.Opening{Publish: true})
		if took := time.Since(began); took > 3*time.Second {
			t.Errorf("open after %v", took)
		}
		if ls := w.untilPublished(d); len(ls.Leases) != 2 {
			t.Errorf("%d leases, want two of the member that is there", len(ls.Leases))
		}
		t.Logf("found after %v", time.Since(began))
		away.Restart()
		for until := time.Now().Add(3 * time.Minute); len(w.untilPublished(d).Leases) < 4; time.Sleep(time.Second) {
			if time.Now().After(until) {
				t.Fatalf("the router that is back has no leases\n%s", w.log.tail())
			}
		}
	})
}
