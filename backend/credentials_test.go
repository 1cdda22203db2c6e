package backend

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/onelease/onelease/backend/backendtest"
	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/datagram"
	"github.com/onelease/onelease/i2p/sam"
	"github.com/onelease/onelease/i2p/streaming"
)

// withCredentials has a rig sign with Credentials in place of its keys.
func withCredentials(credentials **backendtest.Credentials, t testing.TB) func(*Config) {
	return func(c *Config) {
		*credentials = backendtest.NewCredentials(t, c.Signer.(*i2p.Keys))
		c.Signer, c.Credentials = nil, *credentials
	}
}

// wantNoSigner fails the test unless err says that, and says.
func wantNoSigner(t *testing.T, err error, says string) {
	t.Helper()
	if !errors.Is(err, ErrNoSigner) || !strings.Contains(err.Error(), says) {
		t.Errorf("error %v, want ErrNoSigner that says %q", err, says)
	}
}

func TestHostWaitsForItsFirstPermission(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c *backendtest.Credentials
		r := newStreamRig(t, 1, withCredentials(&c, t))
		defer r.stop()
		remote := r.net.NewRemote(0, false)
		brief, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := r.host.WaitReady(brief)
		wantNoSigner(t, err, "no permission from the balancers yet")
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("WaitReady: %v", err)
		}
		_, err = r.host.DialContext(t.Context(), "", remote.Destination.Base64())
		wantNoSigner(t, err, "no permission from the balancers yet")
		_, err = r.listen(Datagram2, 7).WriteTo([]byte("x"), i2p.NewAddr(remote.Destination, 1))
		wantNoSigner(t, err, "no permission from the balancers yet")
		if s := r.host.Stats(); s.Unsigned != 2 || !s.SignsUntil.IsZero() {
			t.Errorf("unsigned %d, want 2; until %v", s.Unsigned, s.SignsUntil)
		}

		until := time.Now().Add(25 * time.Hour)
		time.AfterFunc(time.Hour, func() { c.Permit(24 * time.Hour) })
		if err := r.host.WaitReady(t.Context()); err != nil {
			t.Error(err)
		}
		if s := r.host.Stats(); !s.SignsUntil.Equal(until) {
			t.Errorf("signs until %v, want %v", s.SignsUntil, until)
		}
		r.open(remote, 80)
	})
}

// Listen works before there is a permission, and what came meanwhile comes again.
func TestListenBeforeThePermission(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c *backendtest.Credentials
		r := newStreamRig(t, 1, withCredentials(&c, t))
		defer r.stop()
		remote := r.net.NewRemote(0, false)
		time.AfterFunc(10*time.Second, func() { c.Permit(time.Hour) })
		began := time.Now()
		r.open(remote, 80)
		if took := time.Since(began); took < 10*time.Second {
			t.Errorf("a stream after %v, without a permission", took)
		}
		if s := r.host.Stats(); s.Unsigned == 0 || s.Streams.Accepted != 1 {
			t.Errorf("unsigned %d, accepted %d", s.Unsigned, s.Streams.Accepted)
		}
	})
}

func TestDatagramsTakeTheNewestPermission(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c *backendtest.Credentials
		r := newRig(t, 1, withCredentials(&c, t))
		defer r.stop()
		conn, remote := r.listen(Datagram2, 7), r.remote()
		for range 3 {
			o := c.Permit(time.Hour)
			write(t, conn, i2p.NewAddr(remote.Destination, 1), "x")
			sent := r.sentBy()[0]
			if got := remote.Open(sent[0]); got != "x" {
				t.Errorf("payload %q", got)
			}
			d, err := datagram.ParseDatagram2(sent[0].Data)
			if err != nil || !bytes.Equal(d.Offline.Key.Key, o.Offline.Key.Key) {
				t.Errorf("signed by %v, %v", d.Offline, err)
			}
		}
	})
}

func TestExpiredPermissionSignsNothingNew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c *backendtest.Credentials
		r := newStreamRig(t, 1, withCredentials(&c, t))
		defer r.stop()
		remote := r.net.NewRemote(0, false)
		o := c.Permit(time.Hour)
		conn := r.listen(Datagram2, 7)
		near, far := r.open(remote, 80)
		time.Sleep(59*time.Minute + time.Second) // remotes' clocks may be ahead
		before := r.host.Stats().Unsigned
		_, err := conn.WriteTo([]byte("x"), i2p.NewAddr(remote.Destination, 1))
		wantNoSigner(t, err, o.Offline.Expires.UTC().Format(time.RFC3339))
		if !errors.Is(err, datagram.ErrExpired) {
			t.Errorf("%v", err)
		}
		_, err = r.host.DialContext(t.Context(), "", remote.Destination.Base64())
		wantNoSigner(t, err, "no newer one")
		if s := r.host.Stats(); s.Unsigned != before+2 || !s.SignsUntil.Equal(o.Offline.Expires) {
			t.Errorf("unsigned %d, want %d; until %v", s.Unsigned, before+2, s.SignsUntil)
		}
		want := seeded(50_000) // what is open goes on
		if got, _ := transfer(near, far, want); !bytes.Equal(got, want) {
			t.Errorf("%d bytes of %d came", len(got), len(want))
		}
		c.Permit(time.Hour)
		write(t, conn, i2p.NewAddr(remote.Destination, 1), "x")
	})
}

func TestPermissionsOfNoUse(t *testing.T) {
	other, keys := newKeys(t), newKeys(t)
	good := backendtest.NewCredentials(t, keys).Permit(time.Hour)
	foreign := backendtest.NewCredentials(t, other).Permit(time.Hour)
	for name, c := range map[string]struct {
		origin *datagram.Origin
		is     error
	}{
		"of another Destination":   {foreign, ErrMismatch},
		"signed by another":        {&datagram.Origin{Destination: keys.Destination, Signer: foreign.Signer, Offline: foreign.Offline}, i2p.ErrSignature},
		"another's key":            {&datagram.Origin{Destination: keys.Destination, Signer: foreign.Signer, Offline: good.Offline}, i2p.ErrSignature},
		"without the permission":   {&datagram.Origin{Destination: keys.Destination, Signer: good.Signer}, i2p.ErrSignature},
		"already over":             {backendtest.NewCredentials(t, keys).Permit(-time.Hour), datagram.ErrExpired},
		"over before it is of use": {backendtest.NewCredentials(t, keys).Permit(10 * time.Second), datagram.ErrExpired},
	} {
		t.Run(name, func(t *testing.T) {
			credentials := backendtest.NewCredentials(t, keys)
			host, err := NewHost(Config{Frontends: []Frontend{{Addr: "x"}}, Destination: keys.Destination, Credentials: credentials,
				Logger: slog.New(slog.DiscardHandler)})
			if err != nil {
				t.Fatal(err)
			}
			credentials.Set(c.origin)
			_, err = host.DialContext(t.Context(), "", other.Destination.Base64())
			if !errors.Is(err, ErrNoSigner) || !errors.Is(err, c.is) {
				t.Errorf("error %v, want ErrNoSigner and %v", err, c.is)
			}
			credentials.Set(good)
			if err := host.canSign(); err != nil {
				t.Errorf("with a good one then: %v", err)
			}
		})
	}
}

// A Datagram has no place for an offline signature.
func TestTransientKeysSignNoDatagram(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c *backendtest.Credentials
		r := newRig(t, 1, withCredentials(&c, t))
		defer r.stop()
		early, remote := r.listen(Datagram, 7), r.remote()
		c.Permit(time.Hour)
		if _, err := early.WriteTo([]byte("x"), i2p.NewAddr(remote.Destination, 1)); !errors.Is(err, ErrConfig) {
			t.Errorf("WriteTo: %v", err)
		}
		if _, err := r.host.ListenPacket(Datagram, 8); !errors.Is(err, ErrConfig) {
			t.Errorf("ListenPacket: %v", err)
		}
		c.Set(&datagram.Origin{Destination: r.keys.Destination, Signer: r.keys}) // handed over
		write(t, early, i2p.NewAddr(remote.Destination, 1), "x")
		if got := remote.Open(r.sentBy()[0][0]); got != "x" {
			t.Errorf("payload %q", got)
		}
	})
}

// The remotes of a lost frontend follow a hello of a transient key, also one that
// the stream did not begin with.
func TestHelloOfATransientKeyMovesStreams(t *testing.T) {
	for name, direction := range transfers {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var c *backendtest.Credentials
				r := newStreamRig(t, 3, withCredentials(&c, t))
				defer r.stop()
				first := c.Permit(24 * time.Hour)
				near, far := r.open(r.net.NewRemote(0, false), 80)
				time.Sleep(backendtest.SessionAge + time.Second)
				second := c.Permit(24 * time.Hour)
				time.AfterFunc(time.Second, r.frontends[0].Kill)
				from, to := direction(near, far)
				want := seeded(1 << 20)
				got, gap := transfer(from, to, want)
				if !bytes.Equal(got, want) || gap > time.Second {
					t.Errorf("%d bytes of %d came, stood still for %v", len(got), len(want), gap)
				}
				near.Close()
				far.Close()
				time.Sleep(5 * time.Second)
				if s := r.host.Stats(); s.Stalls.Resumed != 1 || s.Streams.Open != 0 || s.Unsigned != 0 {
					t.Errorf("%+v; keys %v, %v", s, first.Offline.Key, second.Offline.Key)
				}
			})
		})
	}
}

// The hello itself has the newest permission, and is not said without one.
func TestHelloHasTheNewestPermission(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c *backendtest.Credentials
		r := newRig(t, 2, withCredentials(&c, t))
		defer r.stop()
		r.listen(Datagram2, 7)
		c.Permit(time.Hour)
		remote := r.remote()
		r.frontends[0].Deliver(remote.Datagram2(7, "here"))
		// Its session is new then, so that the hello is due at 60:03.
		time.Sleep(58 * time.Minute)
		r.frontends[0].Deliver(remote.Datagram2(7, "here"))
		synctest.Wait()
		r.frontends[0].Kill()
		time.Sleep(125 * time.Second)
		if n := len(r.hellosBy()[1]); n != 0 || r.host.Stats().Unsigned == 0 {
			t.Errorf("%d hellos by an expired key, %d unsigned", n, r.host.Stats().Unsigned)
		}
		o := c.Permit(time.Hour)
		time.Sleep(10 * time.Second)
		hellos := r.hellosBy()[1]
		if len(hellos) == 0 {
			t.Fatal("no hello with the new permission")
		}
		checkHello(t, hellos[0], o)
	})
}

func checkHello(t *testing.T, hello sam.Packet, o *datagram.Origin) {
	t.Helper()
	var p streaming.Packet
	if err := p.Parse(hello.Data); err != nil {
		t.Fatal(err)
	}
	sender := datagram.NewSender(o.Destination)
	key, err := p.SigningKey(sender, time.Now())
	if err != nil || !bytes.Equal(key.Key, o.Offline.Key.Key) {
		t.Errorf("signed by %v, %v", key, err)
	}
	if err := p.Verify(sender, time.Now()); err != nil {
		t.Error(err)
	}
}

// What a transient key adds to the packet path is bytes, not allocations.
func TestCredentialsAllocateNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	keys := newKeys(t)
	c := backendtest.NewCredentials(t, keys)
	c.Permit(time.Hour)
	host, err := NewHost(Config{Frontends: []Frontend{{Addr: "x"}}, Destination: keys.Destination, Credentials: c})
	if err != nil {
		t.Fatal(err)
	}
	s, to, b, payload := host.self.Load(), newKeys(t).Destination.Hash(), make([]byte, 0, 4096), []byte("payload")
	got := testing.AllocsPerRun(100, func() {
		if _, err := s.encode(Datagram2, b, payload, to); err != nil {
			t.Error(err)
		}
	})
	if got > 1 { // the signature
		t.Errorf("%v allocations for a datagram", got)
	}
}

var _ Credentials = (*backendtest.Credentials)(nil)
