package onelease_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/onelease/onelease"
	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/i2cp"
	"github.com/onelease/onelease/i2p/simnet"
	"github.com/onelease/onelease/test/embedded"
)

// A hostingWorld is an embedded network with a Hosting on it.
type hostingWorld struct {
	t       *testing.T
	network *embedded.Network
	hosting *onelease.Hosting
	log     logBuffer
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
	return w.hosting.Open(ctx, o)
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
		synctest.Wait()
		if now := runtime.NumGoroutine(); now > before {
			t.Errorf("%d goroutines, before %d", now, before)
		}
		if n := w.hosting.Destinations(); n != 1 {
			t.Errorf("%d Destinations are on the books, want 1", n)
		}
	})
}

// Right after the start keys that were brought are dated as if this program had
// run until just now with `published` ahead of the clock.
func TestHostingDatesBroughtKeys(t *testing.T) {
	inHosting(t, embedded.Config{}, onelease.HostingConfig{}, func(w *hostingWorld) {
		began := time.Now()
		keys, err := i2p.GenerateKeys()
		if err != nil {
			t.Fatal(err)
		}
		brought := w.untilPublished(w.open(onelease.Opening{Keys: keys, Publish: true}))
		fresh := w.untilPublished(w.open(onelease.Opening{Publish: true}))
		if ahead := brought.Published.Sub(began); ahead < 40*time.Second || ahead > time.Minute {
			t.Errorf("brought keys: published %v ahead", ahead)
		}
		if ahead := time.Until(fresh.Published); ahead > 10*time.Second {
			t.Errorf("new keys: published %v ahead", ahead)
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

// offlineKeys are those of a Destination whose own key is elsewhere.
func offlineKeys(t *testing.T) *i2p.Keys {
	t.Helper()
	keys, err := i2p.GenerateKeys()
	if err != nil {
		t.Fatal(err)
	}
	transient, err := i2p.GenerateKeys()
	if err != nil {
		t.Fatal(err)
	}
	offline, err := i2p.SignOffline(keys, transient.Destination.SigningKey(), time.Now().Add(24*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	return &i2p.Keys{Destination: keys.Destination, Encryption: keys.Encryption, Signing: transient.Signing, Offline: offline}
}

// Where routers take them, offline-signed keys serve and dial.
func TestHostingOfflineKeys(t *testing.T) {
	inHosting(t, embedded.Config{Profile: simnet.JavaI2P}, onelease.HostingConfig{}, func(w *hostingWorld) {
		server := w.open(onelease.Opening{Keys: offlineKeys(t), Publish: true})
		serveEcho(t, server, 7)
		client := w.open(onelease.Opening{Keys: offlineKeys(t)})
		if ls := w.untilPublished(server); ls.Offline == nil {
			t.Error("the LeaseSet has no offline signature")
		}
		c := w.dial(client, server, 7)
		defer c.Close()
		if err := ask(c, "hello\n"); err != nil {
			t.Fatal(err)
		}
	})
}

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

// Keys of every type that can sign serve and dial.
func TestHostingSignatureTypes(t *testing.T) {
	types := []i2p.SigType{
		i2p.SigDSASHA1, i2p.SigECDSAP256, i2p.SigECDSAP384, i2p.SigECDSAP521, i2p.SigEd25519, i2p.SigEd25519ph, i2p.SigRedDSAEd25519,
	}
	for _, sigType := range types {
		t.Run(sigType.String(), func(t *testing.T) {
			inHosting(t, embedded.Config{}, onelease.HostingConfig{}, func(w *hostingWorld) {
				keys, err := i2p.GenerateKeysOf(sigType)
				if err != nil {
					t.Fatal(err)
				}
				server := w.open(onelease.Opening{Keys: keys, Publish: true})
				serveEcho(t, server, 7)
				if keys, err = i2p.GenerateKeysOf(sigType); err != nil {
					t.Fatal(err)
				}
				client := w.open(onelease.Opening{Keys: keys})
				w.untilPublished(server)
				c := w.dial(client, server, 7)
				defer c.Close()
				if err := ask(c, "hello\n"); err != nil {
					t.Fatal(err)
				}
			})
		})
	}
}

// What an application asks for reaches the routers, divided over the members; what
// the scheme needs, or is for a client library, does not.
func TestHostingOptions(t *testing.T) {
	inHosting(t, embedded.Config{}, onelease.HostingConfig{}, func(w *hostingWorld) {
		d := w.open(onelease.Opening{Publish: true, Options: i2p.Mapping{
			"inbound.quantity": "5", "outbound.quantity": "1", "inbound.length": "1", "outbound.backupQuantity": "2", "inbound.nickname": "a b",
			"i2cp.messageReliability": "BestEffort", "i2cp.fastReceive": "false", "i2cp.leaseSetEncType": "0", "i2cp.leaseSetType": "3",
			"i2cp.password": "secret", "i2p.streaming.maxWindowSize": "8", "crypto.tagsToSend": "40",
		}})
		w.untilPublished(d)
		for router, want := range map[string]i2p.Mapping{
			"member-1": {
				"inbound.quantity": "3", "outbound.quantity": "1", "inbound.length": "1", "outbound.length": "3", "outbound.backupQuantity": "1",
				"inbound.nickname": "a b", "i2cp.messageReliability": "none", "i2cp.fastReceive": "true", "i2cp.leaseSetEncType": "4",
				"i2cp.leaseSetType": "3", "i2cp.dontPublishLeaseSet": "false", "crypto.tagsToSend": "40",
			},
			"publisher": {
				"inbound.quantity": "2", "outbound.quantity": "2", "inbound.length": "1", "outbound.length": "3",
				"inbound.nickname": "a b", "i2cp.messageReliability": "none", "i2cp.fastReceive": "true", "i2cp.leaseSetEncType": "4",
				"i2cp.leaseSetType": "3", "i2cp.dontPublishLeaseSet": "true", "crypto.tagsToSend": "40",
			},
		} {
			got, ok := w.network.Router(router).Session(d.Keys().Destination.Hash())
			if !ok || !maps.Equal(got, want) {
				t.Errorf("%s has %v\nwant %v", router, got, want)
			}
		}
	})
}

// An application that says so is never published.
func TestHostingNeverPublished(t *testing.T) {
	inHosting(t, embedded.Config{}, onelease.HostingConfig{}, func(w *hostingWorld) {
		d := w.open(onelease.Opening{Publish: true, Options: i2p.Mapping{"i2cp.dontPublishLeaseSet": "true"}})
		d.Publish()
		time.Sleep(2 * time.Minute)
		if _, ok := w.network.Lookup(d.Keys().Destination.Hash()); ok {
			t.Error("it is in the netDB")
		}
	})
}

// An option that a router would not take is named, and nothing is opened.
func TestHostingBadOptions(t *testing.T) {
	network := embedded.Start(embedded.Config{})
	defer network.Close()
	hosting, err := onelease.NewHosting(onelease.HostingConfig{Routers: network.Routers()})
	if err != nil {
		t.Fatal(err)
	}
	defer hosting.Close()
	for name, value := range map[string]string{
		"inbound.quantity": "0", "outbound.quantity": "17", "inbound.length": "8", "outbound.length": "three", "inbound.lengthVariance": "-8",
		"inbound.allowZeroHop": "yes", "i2cp.leaseSetType": "5", "i2cp.encryptLeaseSet": "true", "i2cp.leaseSetSecret": "x",
		"i2cp.leaseSetClient.psk.0": "x", "inbound.nickname": strings.Repeat("x", 256),
	} {
		_, err := hosting.Open(t.Context(), onelease.Opening{Options: i2p.Mapping{name: value}})
		if !errors.Is(err, onelease.ErrOption) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s=%s: %v", name, value, err)
		}
	}
	if n := hosting.Destinations(); n != 0 {
		t.Errorf("%d are on the books", n)
	}
}
