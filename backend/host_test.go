package backend

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/onelease/onelease/backend/backendtest"
	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/datagram"
	"github.com/onelease/onelease/i2p/sam"
	"github.com/onelease/onelease/i2p/streaming"
)

func TestConfigIsChecked(t *testing.T) {
	keys, other := newKeys(t), newKeys(t)
	front := []Frontend{{Addr: "127.0.0.1:7656"}}
	expired := backendtest.NewCredentials(t, keys).Permit(-time.Hour)
	for _, c := range []struct {
		want string
		cfg  Config
	}{
		{"Frontends is empty", Config{}},
		{"neither Addr nor Dial", Config{Frontends: []Frontend{{Name: "x"}}}},
		{"is there twice", Config{Frontends: append(front, front...)}},
		{"negative", Config{Frontends: front, HelloRate: -1}},
		{"without a Signer", Config{Frontends: front, Offline: &i2p.OfflineSignature{}}},
		{"choose one way to sign", Config{Frontends: front, Signer: keys, Credentials: backendtest.NewCredentials(t, keys)}},
		{"a Current", Config{Frontends: front, Streams: streaming.Config{Current: func() (*datagram.Origin, error) { return nil, nil }}}},
		{"permission ends at", Config{Frontends: front, Destination: keys.Destination, Signer: expired.Signer, Offline: expired.Offline}},
		{"signer is not of", Config{Frontends: front, Destination: keys.Destination, Signer: other}},
	} {
		if _, err := NewHost(c.cfg); !errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("want %q: %v", c.want, err)
		}
	}
}

func TestAFrontendOfAnotherDestinationIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stranger := backendtest.NewFrontend(newKeys(t).Destination)
		defer stranger.Close()
		r := newRig(t, 1, func(c *Config) {
			c.Frontends = append(c.Frontends, Frontend{Name: "stranger", Dial: stranger.Dial})
		})
		defer r.stop()
		conn := r.listen(Raw, 0)
		s := r.host.Stats().Frontends
		if s[0].State != LinkUp || s[1].State != LinkRefused || !strings.Contains(s[1].Error, r.keys.Destination.Base32()) {
			t.Fatalf("%+v", s)
		}
		for range 20 {
			write(t, conn, i2p.NewAddr(newKeys(t).Destination, 1), "x")
		}
		time.Sleep(greetingPatience) // the bubble's clock
		if sent := r.sentBy(); len(sent[0]) != 20 {
			t.Errorf("%d of 20 went to the right frontend", len(sent[0]))
		}
	})
}

func TestTheFirstFrontendDecidesTheDestination(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 2, func(c *Config) { c.Destination = i2p.Destination{} })
		defer r.stop()
		if r.host.Destination() != r.keys.Destination {
			t.Error("the Destination is not known")
		}
		for _, f := range r.host.Stats().Frontends {
			if f.State != LinkUp {
				t.Errorf("%+v", f)
			}
		}
	})
}

func TestASignerOfAnotherDestinationIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 1, func(c *Config) { c.Destination, c.Signer = i2p.Destination{}, newKeys(t) })
		defer r.stop()
		if s := r.host.Stats().Frontends[0]; s.State != LinkRefused || !strings.Contains(s.Error, "key file") {
			t.Errorf("%+v", s)
		}
	})
}

func TestListenNeedsASigner(t *testing.T) {
	host, err := NewHost(Config{Frontends: []Frontend{{Addr: "127.0.0.1:1"}}})
	if err != nil {
		t.Fatal(err)
	}
	for kind, want := range map[Kind]error{Datagram: ErrNoSigner, Datagram2: ErrNoSigner, Raw: nil, Datagram3: nil} {
		if _, err := host.ListenPacket(kind, 1); !errors.Is(err, want) {
			t.Errorf("%v: %v", kind, err)
		}
	}
}

func TestLinksComeBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 1, nil)
		defer r.stop()
		for _, loss := range losses {
			connects := r.host.Stats().Frontends[0].Connects
			loss.lose(r.frontends[0])
			time.Sleep(time.Minute)
			if s := r.host.Stats().Frontends[0]; s.State == LinkUp || s.Error == "" {
				t.Errorf("%s: %+v", loss.name, s)
			}
			r.frontends[0].Up()
			time.Sleep(retryMost * 3 / 2)
			if s := r.host.Stats().Frontends[0]; s.State != LinkUp || s.Connects != connects+1 {
				t.Errorf("%s, up again: %+v", loss.name, s)
			}
		}
	})
}

// dials counts how often a Host dials a frontend.
func dials(n *atomic.Int64) func(*Config) {
	return func(c *Config) {
		dial := c.Frontends[0].Dial
		c.Frontends[0].Dial = func(ctx context.Context) (net.Conn, error) { n.Add(1); return dial(ctx) }
	}
}

func TestRetries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var dialled atomic.Int64
		r := newRig(t, 1, dials(&dialled))
		defer r.stop()
		r.frontends[0].Kill()
		time.Sleep(10 * time.Minute)
		// Waits of 5 s on average; 2.5 s and 7.5 s are the limits.
		if n := dialled.Load(); n < 600/7.5 || n > 10+600/2.5 {
			t.Errorf("%d attempts in 10 minutes", n)
		}
		r.frontends[0].Up()
		time.Sleep(retryMost * 3 / 2)
		// Once it was up, the first attempt is soon again.
		r.frontends[0].SessionDown()
		synctest.Wait()
		r.frontends[0].Up()
		time.Sleep(retryFirst * 3 / 2)
		if s := r.host.Stats().Frontends[0]; s.State != LinkUp {
			t.Errorf("a frontend that was gone for a moment: %+v", s)
		}
	})
}

func TestARefusalIsRetriedRarely(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var dialled atomic.Int64
		count := dials(&dialled)
		r := newRig(t, 1, func(c *Config) { count(c); c.Destination, c.Signer = newKeys(t).Destination, nil })
		defer r.stop()
		time.Sleep(10 * time.Minute)
		if n := dialled.Load(); n < 600/45 || n > 1+600/15 {
			t.Errorf("%d attempts in 10 minutes at a frontend of another Destination", n)
		}
	})
}

// What a frontend delivers before its Destination is checked is nobody's.
func TestPacketsOfAnUncheckedFrontendAreDropped(t *testing.T) {
	host, err := NewHost(Config{Frontends: []Frontend{{Addr: "127.0.0.1:1"}}})
	if err != nil {
		t.Fatal(err)
	}
	conn, err := host.ListenPacket(Raw, 0)
	if err != nil {
		t.Fatal(err)
	}
	host.links[0].receive(sam.Packet{Protocol: 18, Data: []byte("x")})
	conn.SetReadDeadline(time.Now())
	if _, _, err := conn.ReadFrom(nil); !errors.Is(err, os.ErrDeadlineExceeded) || host.Stats().Unclaimed != 1 {
		t.Errorf("%v, %+v", err, host.Stats())
	}
}

func TestAQuietLinkStaysUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 1, nil)
		defer r.stop()
		time.Sleep(time.Hour)
		if s := r.host.Stats().Frontends[0]; s.State != LinkUp || s.Connects != 1 {
			t.Errorf("%+v", s)
		}
	})
}

func TestDatagram2OverTheSendersHash(t *testing.T) {
	for _, taken := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, 1, func(c *Config) { c.SenderTarget = taken })
			defer r.stop()
			conn := r.listen(Datagram2, 7)
			remote := r.remote()
			asI2PD := backendtest.NewRemote(t, remote.Destination)
			asI2PD.Keys = remote.Keys // from remote, signed for remote
			r.frontends[0].Deliver(asI2PD.Datagram2(7, "x"))
			synctest.Wait()
			if s := r.host.Stats(); (s.Invalid == 0) != taken {
				t.Errorf("SenderTarget %v: %+v", taken, s)
			}
			if taken {
				read(t, conn)
			}
		})
	}
}

func TestRun(t *testing.T) {
	failed := errors.New("service has failed")
	for _, c := range []struct {
		name  string
		serve ServiceFunc
		end   bool // ctx ends
		want  error
	}{
		{"done", func(context.Context, Node) error { return nil }, false, nil},
		{"failed", func(context.Context, Node) error { return failed }, false, failed},
		{"ended", func(ctx context.Context, _ Node) error { <-ctx.Done(); return failed }, true, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				keys := newKeys(t)
				f := backendtest.NewFrontend(keys.Destination)
				defer f.Close()
				host, err := NewHost(Config{Frontends: []Frontend{{Name: "f", Dial: f.Dial}}, Logger: slog.New(slog.DiscardHandler)})
				if err != nil {
					t.Fatal(err)
				}
				ctx, cancel := context.WithCancel(t.Context())
				if c.end {
					time.AfterFunc(time.Second, cancel)
				}
				defer cancel()
				err = Run(ctx, host, ServiceFunc(func(ctx context.Context, node Node) error {
					if node.Destination() != keys.Destination || node.Logger() == nil {
						t.Error("the node is not ready")
					}
					return c.serve(ctx, node)
				}))
				if !errors.Is(err, c.want) || (c.want == nil && err != nil) {
					t.Errorf("Run: %v, want %v", err, c.want)
				}
				if err := host.Run(t.Context()); err == nil {
					t.Error("a Host runs twice")
				}
			})
		})
	}
}

func TestRunEndsWhileNoFrontendIsUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		host, err := NewHost(Config{
			Frontends: []Frontend{{Name: "f", Dial: func(context.Context) (net.Conn, error) { return nil, errors.New("no") }}},
			Logger:    slog.New(slog.DiscardHandler),
		})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		err = Run(ctx, host, ServiceFunc(func(context.Context, Node) error { t.Error("the service was started"); return nil }))
		if err != nil {
			t.Errorf("Run: %v", err)
		}
	})
}

func TestAddr(t *testing.T) {
	keys := newKeys(t)
	a := i2p.NewAddr(keys.Destination, 80)
	got, err := i2p.ParseAddr(a.String())
	if err != nil || got.Hash != a.Hash || got.Port != 80 || !got.Destination.IsZero() {
		t.Errorf("%v, %v", got, err)
	}
	if got, err := i2p.ParseAddr(keys.Destination.Base32()); err != nil || got.Port != 0 {
		t.Errorf("without a port: %v, %v", got, err)
	}
	for _, s := range []string{"", "x:1", keys.Destination.Base32() + ":70000", keys.Destination.Base32() + ":"} {
		if got, err := i2p.ParseAddr(s); err == nil {
			t.Errorf("%q is taken for %v", s, got)
		}
	}
}

func TestLookup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 1, nil)
		defer r.stop()
		remote := r.remote()
		r.frontends[0].Name("some.i2p", remote.Destination)
		if d, err := r.host.Lookup(t.Context(), "some.i2p"); err != nil || d != remote.Destination {
			t.Errorf("%v, %v", d, err)
		}
		if _, err := r.host.Lookup(t.Context(), "none.i2p"); !errors.Is(err, sam.ResultKeyNotFound) {
			t.Error(err)
		}
	})
}
