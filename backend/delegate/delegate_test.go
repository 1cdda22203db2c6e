package delegate

import (
	"bytes"
	"crypto/tls"
	"errors"
	"os/exec"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/onelease/onelease/backend"
	"github.com/onelease/onelease/balancer/controlpb"
	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/datagram"
)

func TestConfigIsChecked(t *testing.T) {
	good := Config{Name: "web-1", Balancers: []string{"127.0.0.1:7660"}}
	if _, err := New(good); err != nil {
		t.Errorf("a good one: %v", err)
	}
	for want, change := range map[string]func(*Config){
		"Name is":               func(c *Config) { c.Name = "Web 1" },
		"Balancers is empty":    func(c *Config) { c.Balancers = nil },
		"not on the loopback":   func(c *Config) { c.Balancers = append(c.Balancers, "10.0.0.1:7660") },
		"no client certificate": func(c *Config) { c.TLS = &tls.Config{} },
	} {
		cfg := good
		cfg.Balancers = append([]string(nil), good.Balancers...)
		change(&cfg)
		if _, err := New(cfg); !errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q: %v", want, err)
		}
	}
}

// wantOrigin fails the test unless o can sign for the Destination, and returns it.
func (r *running) wantOrigin() *datagram.Origin {
	r.t.Helper()
	o := r.Origin()
	if o == nil {
		r.t.Fatalf("no permission: %+v", r.Status())
	}
	message := []byte("message")
	signature, err := o.Signer.Sign(message)
	if err == nil {
		err = o.Offline.Key.Verify(message, signature)
	}
	if err == nil {
		err = o.Offline.Verify(r.keys.Destination)
	}
	if err != nil || o.Destination != r.keys.Destination {
		r.t.Errorf("of %v: %v", o.Destination, err)
	}
	return o
}

func TestPermissionIsRenewedInTime(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, r *running) {
		if r.Origin() != nil {
			t.Error("a permission before Run")
		}
		changed := r.Changed()
		began := time.Now()
		r.run(func() {
			<-changed
			if took := time.Since(began); took > time.Second {
				t.Errorf("the first after %v", took)
			}
			first := r.wantOrigin()
			if s := r.Status(); !s.Expires.Equal(first.Offline.Expires) || s.Renewed != 1 || s.Error != "" || s.Destination != r.keys.Destination {
				t.Errorf("%+v", s)
			}
			changed = r.Changed()
			time.Sleep(9 * time.Hour)
			if r.Origin() != first {
				t.Error("renewed before two fifths of its life")
			}
			<-changed
			if at := time.Since(began); at < 24*time.Hour*39/100 || at > 24*time.Hour*61/100 {
				t.Errorf("renewed after %v of 24 h", at)
			}
			second := r.wantOrigin()
			if bytes.Equal(first.Offline.Key.Key, second.Offline.Key.Key) {
				t.Error("the transient key is the same")
			}
			time.Sleep(30 * 24 * time.Hour)
			if n := len(r.leader.requests()); n < 45 || n > 85 {
				t.Errorf("%d requests in a month", n)
			}
		})
		for _, a := range r.leader.requests() {
			if q := a.request; q.GetName() != "web-1" || q.GetVersion() != 1 || q.GetSigType() != 7 || len(q.GetTransientKey()) != 32 || q.GetHandOver() {
				t.Fatalf("request %v", q)
			}
		}
	})
}

// A follower sends the client on to the leader, which is not in its list.
func TestRedirectIsFollowed(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, r *running) {
		leader := r.cluster.add(t, "b9", r.keys)
		defer leader.stop()
		r.leader.set(func() { r.leader.redirect = &controlpb.Redirect{Leader: "b9"} })
		r.run(func() {
			r.within(time.Second, "a permission", func() bool { return r.Origin() != nil })
			r.wantOrigin()
			if n := len(leader.requests()); n != 1 {
				t.Errorf("%d requests", n)
			}
		})
	})
}

// Two that name each other, or nobody, must not be kept busy.
func TestRedirectsInACircle(t *testing.T) {
	two := func(c *Config) { c.Balancers = []string{"b1", "b2"} }
	inBubble(t, two, func(t *testing.T, r *running) {
		other := r.cluster.add(t, "b2", r.keys)
		defer other.stop()
		r.leader.set(func() { r.leader.redirect = &controlpb.Redirect{Leader: "b2"} })
		other.set(func() { other.redirect = &controlpb.Redirect{Leader: "b1"} })
		r.run(func() {
			time.Sleep(time.Minute)
			if n := len(r.leader.requests()) + len(other.requests()); n < 10 || n > 150 {
				t.Errorf("%d requests in a minute", n)
			}
			if s := r.Status(); !strings.Contains(s.Error, "name each other") {
				t.Errorf("%+v", s)
			}
			other.set(func() { other.redirect = &controlpb.Redirect{} })
			r.leader.set(func() { r.leader.redirect = &controlpb.Redirect{} })
			time.Sleep(time.Minute)
			if s := r.Status(); !strings.Contains(s.Error, "no balancer leads") {
				t.Errorf("%+v", s)
			}
			r.leader.set(func() { r.leader.redirect = nil })
			r.within(20*time.Second, "a permission", func() bool { return r.Origin() != nil })
		})
	})
}

// The balancers are away for longer than the permission lasts: it is kept, for
// the backend to see that it is over, and renewed as soon as one is back.
func TestBalancersAway(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, r *running) {
		r.run(func() {
			r.within(time.Second, "a permission", func() bool { return r.Origin() != nil })
			first := r.wantOrigin()
			r.leader.stop()
			time.Sleep(20 * time.Hour)
			if r.Origin() != first || !strings.Contains(r.Status().Error, "cannot be reached") {
				t.Errorf("away: %+v", r.Status())
			}
			time.Sleep(5 * time.Hour)
			if o := r.Origin(); o != first || !o.Expired(time.Now()) {
				t.Errorf("after its end: %v", o)
			}
			r.leader.start()
			r.within(10*time.Second, "a new permission", func() bool { return r.Origin() != first })
			if r.wantOrigin().Expired(time.Now()) {
				t.Error("it has expired")
			}
		})
		if n := strings.Count(r.log.String(), "no new permission"); n == 0 || n > 5 {
			t.Errorf("%d warnings for the same", n)
		}
	})
}

func TestBadReplies(t *testing.T) {
	other := newKeys(t)
	key := func(b []byte) i2p.SigningPublicKey { // that a reply permits
		o, _, _ := i2p.ParseOfflineSignature(b, i2p.SigEd25519)
		return o.Key
	}
	for name, c := range map[string]struct {
		spoil func(keys *i2p.Keys, m *controlpb.DelegateReply)
		says  string
	}{
		"no Destination":    {func(_ *i2p.Keys, m *controlpb.DelegateReply) { m.Destination = nil }, "its Destination"},
		"more of it":        {func(_ *i2p.Keys, m *controlpb.DelegateReply) { m.Destination = append(m.Destination, 0) }, "1 bytes too many"},
		"nothing":           {func(_ *i2p.Keys, m *controlpb.DelegateReply) { m.OfflineSignature = nil }, "offline signature"},
		"cut off":           {func(_ *i2p.Keys, m *controlpb.DelegateReply) { m.OfflineSignature = m.OfflineSignature[:50] }, "offline signature"},
		"more of that":      {func(_ *i2p.Keys, m *controlpb.DelegateReply) { m.OfflineSignature = append(m.OfflineSignature, 0) }, "1 bytes too many"},
		"another's":         {func(_ *i2p.Keys, m *controlpb.DelegateReply) { m.OfflineSignature[len(m.OfflineSignature)-1] ^= 1 }, "does not verify"},
		"unasked keys only": {func(k *i2p.Keys, m *controlpb.DelegateReply) { m.OfflineSignature, m.PrivateKeys = nil, k.Bytes() }, "offline signature"},
		"another Destination": {func(_ *i2p.Keys, m *controlpb.DelegateReply) {
			m.OfflineSignature = signOffline(t, other, key(m.OfflineSignature), time.Now().Add(time.Hour))
			m.Destination = other.Destination.Bytes()
		}, "this backend is of"},
		"signed by another": {func(_ *i2p.Keys, m *controlpb.DelegateReply) {
			m.OfflineSignature = signOffline(t, other, key(m.OfflineSignature), time.Now().Add(time.Hour))
		}, "does not verify"},
		"of another key": {func(k *i2p.Keys, m *controlpb.DelegateReply) {
			m.OfflineSignature = signOffline(t, k, other.Destination.SigningKey(), time.Now().Add(time.Hour))
		}, "for another key"},
		"of another type": {func(k *i2p.Keys, m *controlpb.DelegateReply) {
			p256 := i2p.SigningPublicKey{Type: i2p.SigECDSAP256, Key: make([]byte, 64)}
			m.OfflineSignature = signOffline(t, k, p256, time.Now().Add(time.Hour))
		}, "of type"},
		"expired": {func(k *i2p.Keys, m *controlpb.DelegateReply) {
			m.OfflineSignature = signOffline(t, k, key(m.OfflineSignature), time.Now().Add(-time.Hour))
		}, "that ended at"},
		"too short": {func(k *i2p.Keys, m *controlpb.DelegateReply) {
			m.OfflineSignature = signOffline(t, k, key(m.OfflineSignature), time.Now().Add(time.Minute))
		}, "less than 5m"},
		"too long": {func(k *i2p.Keys, m *controlpb.DelegateReply) {
			m.OfflineSignature = signOffline(t, k, key(m.OfflineSignature), time.Now().Add(365*24*time.Hour))
		}, "more than 744h"},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, nil, func(t *testing.T, r *running) {
				r.cfg.Destination = r.keys.Destination
				r.leader.set(func() { r.leader.spoil = func(m *controlpb.DelegateReply) { c.spoil(r.keys, m) } })
				r.run(func() {
					time.Sleep(time.Minute)
					s := r.Status()
					if r.Origin() != nil || !strings.Contains(s.Error, c.says) || !strings.Contains(s.Error, "bad reply") {
						t.Errorf("want no permission since %q: %+v", c.says, s)
					}
					r.leader.set(func() { r.leader.spoil = nil })
					r.within(10*time.Second, "a permission", func() bool { return r.Origin() != nil })
				})
			})
		})
	}
}

// Once it is known, the Destination does not change.
func TestFirstReplyDecidesTheDestination(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, r *running) {
		r.run(func() {
			r.within(time.Second, "a permission", func() bool { return r.Origin() != nil })
			first := r.wantOrigin()
			r.leader.set(func() { r.leader.keys = newKeys(t) })
			time.Sleep(20 * time.Hour)
			if s := r.Status(); r.Origin() != first || !strings.Contains(s.Error, "this backend is of") {
				t.Errorf("%+v", s)
			}
		})
	})
}

func TestRefusalsSayWhatToDo(t *testing.T) {
	for code, c := range map[codes.Code]struct {
		handOver bool
		says     string
	}{
		codes.PermissionDenied: {true, "leave HandOver off"},
		codes.Unauthenticated:  {false, `certificate for the name "web-1"`},
		codes.InvalidArgument:  {false, "the same version"},
		codes.Unimplemented:    {false, "upgrade it"},
	} {
		t.Run(code.String(), func(t *testing.T) {
			inBubble(t, func(cfg *Config) { cfg.HandOver = c.handOver }, func(t *testing.T, r *running) {
				r.leader.set(func() { r.leader.fails = status.Error(code, "says the balancer") })
				r.run(func() {
					time.Sleep(10 * time.Minute)
					s := r.Status()
					if !strings.Contains(s.Error, c.says) || !strings.Contains(s.Error, "says the balancer") || r.Origin() != nil {
						t.Errorf("want %q: %+v", c.says, s)
					}
					if n := len(r.leader.requests()); n < 15 || n > 45 {
						t.Errorf("asked %d times in 10 min", n)
					}
					r.leader.set(func() { r.leader.fails = nil; r.leader.handOver = true })
					r.within(time.Minute, "a permission", func() bool { return r.Origin() != nil })
				})
			})
		})
	}
}

func TestHandOver(t *testing.T) {
	inBubble(t, func(c *Config) { c.HandOver = true }, func(t *testing.T, r *running) {
		r.leader.set(func() { r.leader.handOver = true })
		r.run(func() {
			r.within(time.Second, "the key", func() bool { return r.Origin() != nil })
			o := r.Origin()
			signature, err := o.Signer.Sign([]byte("x"))
			if err == nil {
				err = r.keys.Destination.SigningKey().Verify([]byte("x"), signature)
			}
			if s := r.Status(); err != nil || o.Offline != nil || !s.HandedOver || !s.Expires.IsZero() {
				t.Errorf("%+v, %v", s, err)
			}
			time.Sleep(48 * time.Hour)
			if q := r.leader.requests(); len(q) != 1 || len(q[0].request.GetTransientKey()) != 0 {
				t.Errorf("requests %v", q)
			}
		})
		secret := i2p.Base64.EncodeToString(r.keys.Signing)
		if log := r.log.String(); strings.Contains(log, secret) || strings.Contains(log, r.keys.Base64()) {
			t.Error("the key is in the log")
		}
	})
}

// Keys of another Destination, or none, are not taken.
func TestHandOverOfOtherKeys(t *testing.T) {
	other := newKeys(t)
	for says, b := range map[string][]byte{"another Destination": other.Bytes(), "no private keys": nil, "private keys": other.Destination.Bytes()} {
		inBubble(t, func(c *Config) { c.HandOver = true }, func(t *testing.T, r *running) {
			r.leader.set(func() {
				r.leader.handOver = true
				r.leader.spoil = func(m *controlpb.DelegateReply) { m.PrivateKeys = b }
			})
			r.run(func() {
				time.Sleep(10 * time.Second)
				if s := r.Status(); r.Origin() != nil || !strings.Contains(s.Error, says) {
					t.Errorf("want %q: %+v", says, s)
				}
			})
		})
	}
}

// A Host signs with what a Client has.
func TestHostWithAClient(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, r *running) {
		host, err := backend.NewHost(backend.Config{
			Frontends: []backend.Frontend{{Addr: "127.0.0.1:1"}}, Destination: r.keys.Destination, Credentials: r.Client,
		})
		if err != nil {
			t.Fatal(err)
		}
		r.run(func() {
			r.within(time.Second, "a permission", func() bool { return r.Origin() != nil })
			if s := host.Stats(); !s.SignsUntil.Equal(r.Status().Expires) {
				t.Errorf("signs until %v, want %v", s.SignsUntil, r.Status().Expires)
			}
		})
	})
}

// A backend must not link the cluster for this.
func TestImports(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	deps := strings.Fields(string(out))
	if len(deps) < 50 {
		t.Fatalf("go list knows %d packages only", len(deps))
	}
	for _, dep := range deps {
		for _, unwanted := range []string{"hashicorp/raft", "bbolt", "boltdb", "onelease/raftstate", "onelease/frontend", "onelease/i2p/i2cp"} {
			if strings.Contains(dep, unwanted) || dep == "github.com/onelease/onelease/balancer" {
				t.Errorf("delegate depends on %s", dep)
			}
		}
	}
}
