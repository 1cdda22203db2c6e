package guest

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/onelease/onelease/frontend"
	"github.com/onelease/onelease/i2p/i2cp"
	"github.com/onelease/onelease/i2p/simnet"
	"github.com/onelease/onelease/internal/memconn"
)

// TestGuest: a guest's frontend calls its own balancer, serves SAM, and is gone when its
// Run is.
func TestGuest(t *testing.T) {
	s := newSite(t, nil)
	c, stop := s.client("sam-1")
	defer stop()
	first, second := s.visit(c, Config{Member: true}), s.visit(c, Config{Member: true, Publisher: true})
	for _, v := range []*visit{first, second} {
		v.greets(t)
		preface := make([]byte, 3)
		if _, err := (<-v.calls).Read(preface); err != nil || string(preface) != "PRI" {
			t.Errorf("the balancer hears %q, %v: want HTTP/2", preface, err)
		}
	}
	if status := s.server.Status(); status.Guests != 2 || status.Backends["sam-1"] != 2 || status.Lingering != 0 {
		t.Errorf("status %+v", status)
	}
	if status := c.Status(); !status.Connected || status.Guests != 2 || status.Open != 2 {
		t.Errorf("client's status %+v", status)
	}
	first.stop()
	if n := s.server.Status().Guests; n != 1 {
		t.Errorf("%d guests right after one of two has ended", n)
	}
	if _, err := first.DialSAM(t.Context()); !errors.Is(err, net.ErrClosed) {
		t.Errorf("SAM of one that has ended: %v", err)
	}
	second.greets(t)
	second.stop()
}

// TestRefusals: what an operator does not want is refused with words, and tried again
// so rarely that it does no harm.
func TestRefusals(t *testing.T) {
	s := newSite(t, func(c *ServerConfig) {
		c.Publisher, c.MaxGuests, c.MaxPerBackend = false, 3, 2
		c.Backends = []string{"sam-1", "sam-2"}
	})
	c, stop := s.client("sam-1")
	defer stop()
	reason := func(v *visit, want error, text string) {
		t.Helper()
		until(t, "it is refused", func() bool {
			_, err := v.Open()
			return errors.Is(err, want) && strings.Contains(err.Error(), text)
		})
		v.stop()
	}
	reason(s.visit(c, Config{Publisher: true}), ErrRefused, "router is a member, and takes no guest that is a publisher")
	one, two := s.visit(c, Config{Member: true}), s.visit(c, Config{Member: true})
	until(t, "both are open", func() bool { return one.isOpen() && two.isOpen() })
	reason(s.visit(c, Config{Member: true}), ErrQuota, "--guests-per-backend")
	other, stopOther := s.client("sam-2")
	defer stopOther()
	three := s.visit(other, Config{Member: true})
	three.greets(t)
	reason(s.visit(other, Config{Member: true}), ErrQuota, "--guests-max")
	stranger, stopStranger := s.client("sam-3")
	defer stopStranger()
	until(t, "who is not on the list is not let in", func() bool {
		status := stranger.Status()
		return !status.Connected && strings.Contains(status.Error.Error(), "does not let this backend in")
	})
	if status := s.server.Status(); status.Guests != 3 || status.Refused < 3 {
		t.Errorf("status %+v", status)
	}
	for _, v := range []*visit{one, two, three} {
		v.stop()
	}
	if n := s.server.Status().Guests; n != 0 {
		t.Errorf("%d guests at the end", n)
	}
}

// TestReconnect: a guest stays while its backend is away for a moment, and its frontend
// does not begin anew.
func TestReconnect(t *testing.T) {
	s := newSite(t, nil)
	c, stop := s.client("sam-1")
	defer stop()
	v := s.visit(c, Config{Member: true})
	v.greets(t)
	<-v.calls
	before := s.only()
	s.cut("sam-1", false)
	until(t, "it is open again", func() bool { return v.isOpen() && s.server.Status().Lingering == 0 })
	<-v.calls // its frontend calls again
	v.greets(t)
	if after := s.only(); after != before {
		t.Error("the frontend is another one")
	}
	v.stop()
}

// only is the only guest.
func (s *site) only() *guest {
	s.t.Helper()
	s.server.mu.Lock()
	defer s.server.mu.Unlock()
	if len(s.server.guests) != 1 {
		s.t.Fatalf("%d guests, want one", len(s.server.guests))
	}
	for _, g := range s.server.guests {
		return g
	}
	return nil
}

// TestGrace: a guest whose backend stays away ends.
func TestGrace(t *testing.T) {
	s := newSite(t, func(c *ServerConfig) { c.Grace = 50 * time.Millisecond })
	c, stop := s.client("sam-1")
	v := s.visit(c, Config{Member: true})
	v.greets(t)
	s.cut("sam-1", true)
	until(t, "the guest has ended", func() bool { return s.server.Status().Guests == 0 })
	if _, err := v.DialSAM(timeout(t, time.Millisecond)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("SAM without a connection: %v", err)
	}
	v.stop()
	stop()
}

func timeout(t *testing.T, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

// TestNewLife: a backend that begins anew does not wait for what its last life has left:
// that could hold the Destination's session.
func TestNewLife(t *testing.T) {
	s := newSite(t, func(c *ServerConfig) { c.Grace, c.MaxPerBackend = time.Hour, 1 })
	first, stopFirst := s.client("sam-1")
	v := s.visit(first, Config{Member: true})
	v.greets(t)
	s.cut("sam-1", true)
	until(t, "it lingers", func() bool { return s.server.Status().Lingering == 1 })
	v.stop()
	stopFirst()
	s.cut("sam-1", false)
	second, stopSecond := s.client("sam-1")
	defer stopSecond()
	w := s.visit(second, Config{Member: true})
	w.greets(t)
	if n := s.server.Status().Guests; n != 1 {
		t.Errorf("%d guests, want the new one", n)
	}
	w.stop()
}

// TestNoCrossing: nobody reaches a guest of another backend, nor of another process of
// the same one, nor one whose number it guesses.
func TestNoCrossing(t *testing.T) {
	s := newSite(t, nil)
	owner, stop := s.client("sam-1")
	defer stop()
	v := s.visit(owner, Config{Member: true})
	v.greets(t)
	for _, backend := range []string{"sam-1", "sam-2"} {
		thief, stopThief := s.client(backend)
		until(t, "it is connected", func() bool { return thief.Status().Connected })
		session, _, _ := thief.now()
		if _, _, err := thief.request(t.Context(), session, header{kind: kindSAM, id: v.id}, nil, shakeTime); !errors.Is(err, ErrUnknown) {
			t.Errorf("SAM of another's guest, as %s: %v", backend, err)
		}
		stopThief()
	}
	session, _, _ := owner.now()
	for _, h := range []header{{kind: kindSAM, id: v.id + 1}, {kind: kindControl, id: v.id}} {
		if _, _, err := owner.request(t.Context(), session, h, nil, shakeTime); err == nil {
			t.Errorf("%+v is taken", h)
		}
	}
	thief, stopThief := s.client("sam-2")
	thief.instance = owner.instance // stolen, and still of another name
	until(t, "it is connected", func() bool { return thief.Status().Connected })
	session, _, _ = thief.now()
	if _, _, err := thief.request(t.Context(), session, header{kind: kindSAM, id: v.id}, nil, shakeTime); !errors.Is(err, ErrUnknown) {
		t.Errorf("with its secret: %v", err)
	}
	stopThief()
	v.greets(t)
	v.stop()
}

// TestGarbage: who says nothing, or nothing that makes sense, costs little and harms
// nobody.
func TestGarbage(t *testing.T) {
	s := newSite(t, nil)
	c, stop := s.client("sam-1")
	defer stop()
	v := s.visit(c, Config{Member: true})
	v.greets(t)
	for _, text := range []string{"", "GET / HTTP/1.1\r\n\r\n", strings.Repeat("\x00", 100)} {
		conn, err := s.dial("sam-1")
		if err != nil {
			t.Fatal(err)
		}
		_, _ = conn.Write([]byte(text))
		conn.Close()
	}
	session, _, _ := c.now()
	for range 20 {
		st, err := session.OpenStream()
		if err != nil {
			t.Fatal(err)
		}
		_, _ = st.Write([]byte(strings.Repeat("\xff", headerSize)))
		if _, err := readReply(stream{st}); !strings.Contains(err.Error(), errHeader.Error()) {
			t.Errorf("garbage: %v", err)
		}
		st.Close()
	}
	v.greets(t)
	v.stop()
}

// TestLookup: the router is asked by a connection of its own.
func TestLookup(t *testing.T) {
	network := simnet.New(simnet.Config{Tunnels: simnet.TunnelTimes{First: time.Millisecond, Rest: time.Millisecond}, Logger: slog.New(slog.DiscardHandler)})
	remote := network.NewRemote(simnet.RemoteConfig{Profile: simnet.JavaI2P, Published: true})
	router := network.NewRouter(simnet.RouterConfig{Name: "router-1", Profile: simnet.JavaI2P})
	t.Cleanup(network.Close)
	s := newSite(t, func(c *ServerConfig) {
		c.Frontend = func() (frontend.Config, error) {
			return frontend.Config{Router: frontend.RouterConfig{Dial: router.DialI2CP}}, nil
		}
	})
	c, stop := s.client("sam-1")
	defer stop()
	name := remote.Destination().Base32()
	until(t, "it is found", func() bool {
		found, err := c.Lookup(t.Context(), name, false)
		return err == nil && found.Destination.Base32() == name && found.Options == nil
	})
	if found, err := c.Lookup(t.Context(), name, true); err != nil || found.Destination.Base32() != name {
		t.Errorf("with its options: %+v, %v", found, err)
	}
	for _, name := range []string{"nobody.i2p", strings.Repeat("x", 300)} {
		if _, err := c.Lookup(t.Context(), name, false); !errors.Is(err, i2cp.ErrNotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Lookup(ctx, name, false); err == nil {
		t.Error("a lookup that was given up succeeds")
	}
	router.Kill()
	if _, err := c.Lookup(t.Context(), name, false); err == nil || errors.Is(err, i2cp.ErrNotFound) {
		t.Errorf("a router that is down: %v", err)
	}
}

// TestPublisherServesNoSAM: as frontends of the same process, at either end.
func TestPublisherServesNoSAM(t *testing.T) {
	s := newSite(t, nil)
	c, stop := s.client("sam-1")
	defer stop()
	v := s.visit(c, Config{Publisher: true})
	until(t, "it is open", v.isOpen)
	if err := v.hello(); !errors.Is(err, frontend.ErrPublisherOnly) {
		t.Error(err)
	}
	session, _, _ := c.now()
	if _, _, err := c.request(t.Context(), session, header{kind: kindSAM, id: v.id}, nil, shakeTime); !errors.Is(err, ErrRefused) {
		t.Error(err)
	}
	v.stop()
}

// TestConfigs: what cannot work is said at the start.
func TestConfigs(t *testing.T) {
	template := func() (frontend.Config, error) { return frontend.Config{}, nil }
	for _, cfg := range []ServerConfig{{}, {Frontend: template}, {Member: true}, {Frontend: template, Member: true, MaxGuests: -1}} {
		if _, err := NewServer(cfg); !errors.Is(err, ErrConfig) {
			t.Errorf("%+v: %v", cfg, err)
		}
	}
	if _, err := NewClient(ClientConfig{}); !errors.Is(err, ErrConfig) {
		t.Error(err)
	}
	s := newSite(t, nil)
	if err := s.server.Serve(t.Context(), memconn.Listen("guests")); !errors.Is(err, ErrConfig) {
		t.Errorf("Serve without TLS: %v", err)
	}
}

// TestTooEarly: a guest that comes before the frontend is ready for one comes again.
func TestTooEarly(t *testing.T) {
	var ready atomic.Bool
	s := newSite(t, func(c *ServerConfig) {
		template := c.Frontend
		c.Frontend = func() (frontend.Config, error) {
			if ready.Load() {
				return template()
			}
			return frontend.Config{}, errors.New("the router is being tested")
		}
	})
	c, stop := s.client("sam-1")
	defer stop()
	v := s.visit(c, Config{Member: true})
	until(t, "it is told so", func() bool {
		_, err := v.Open()
		return err != nil && strings.Contains(err.Error(), "is being tested")
	})
	ready.Store(true)
	until(t, "it is open", v.isOpen)
	v.stop()
}

// TestStreamDeadline: a stream fails as other connections do.
func TestStreamDeadline(t *testing.T) {
	s := newSite(t, nil)
	c, stop := s.client("sam-1")
	defer stop()
	v := s.visit(c, Config{Member: true})
	until(t, "it is open", v.isOpen)
	conn, err := v.DialSAM(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	conn.SetReadDeadline(time.Now().Add(time.Millisecond))
	if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error(err)
	}
	conn.SetReadDeadline(time.Time{})
	read := make(chan error)
	go func() {
		_, err := conn.Read(make([]byte, 1))
		read <- err
	}()
	conn.Close()
	if err := <-read; err == nil {
		t.Error("a read went on after Close")
	}
	v.stop()
}
