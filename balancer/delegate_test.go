package balancer

import (
	"bytes"
	"context"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/onelease/onelease/balancer/controlpb"
	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/raftstate/ledger"
	"github.com/onelease/onelease/raftstate/statepb"
)

// request asks for a permission for a new transient key.
func request(t *testing.T) *controlpb.DelegateRequest {
	t.Helper()
	keys, err := i2p.GenerateKeys()
	if err != nil {
		t.Fatal(err)
	}
	key := keys.Destination.SigningKey()
	return &controlpb.DelegateRequest{Version: 1, Name: "w1", SigType: uint32(key.Type), TransientKey: key.Key}
}

func (w *bench) delegate(r *controlpb.DelegateRequest) (*controlpb.DelegateReply, error) {
	return w.b.Control().Delegate(w.ctx, r)
}

// A permission verifies, lasts as the policy says, and is in the replicated
// state before it is given.
func TestDelegate(t *testing.T) {
	inBubble(t, Policy{DelegationLife: 3 * time.Hour}, func(w *bench) {
		r, dest := request(t), w.b.cfg.Keys.Destination
		reply, err := w.delegate(r)
		if err != nil {
			t.Fatal(err)
		}
		offline, n, err := i2p.ParseOfflineSignature(reply.GetOfflineSignature(), dest.SigType())
		if err != nil || n != len(reply.GetOfflineSignature()) {
			t.Fatalf("%d bytes of %d: %v", n, len(reply.GetOfflineSignature()), err)
		}
		if err := offline.Verify(dest); err != nil {
			t.Error(err)
		}
		if !bytes.Equal(offline.Key.Key, r.GetTransientKey()) || !bytes.Equal(reply.GetDestination(), dest.Bytes()) {
			t.Error("it is for another key or Destination")
		}
		if left := time.Until(offline.Expires); left < 3*time.Hour-2*time.Second || left > 3*time.Hour {
			t.Errorf("it lasts %v, want 3h", left)
		}
		if len(reply.GetPrivateKeys()) > 0 {
			t.Error("it comes with the Destination's key")
		}
		kept := w.store.State().Destination(dest.Hash()).Delegations["w1"]
		if !bytes.Equal(kept.Key, r.GetTransientKey()) || int64(kept.Expires) != offline.Expires.Unix() {
			t.Errorf("the state has %+v", kept)
		}
	})
}

func TestDelegateRefuses(t *testing.T) {
	inBubble(t, Policy{}, func(w *bench) {
		for _, wrong := range []struct {
			what   string
			change func(*controlpb.DelegateRequest)
			code   codes.Code
		}{
			{"another version", func(r *controlpb.DelegateRequest) { r.Version = 2 }, codes.FailedPrecondition},
			{"no version", func(r *controlpb.DelegateRequest) { r.Version = 0 }, codes.FailedPrecondition},
			{"a DSA key", func(r *controlpb.DelegateRequest) { r.SigType = 0 }, codes.InvalidArgument},
			{"no key", func(r *controlpb.DelegateRequest) { r.TransientKey = nil }, codes.InvalidArgument},
			{"a short key", func(r *controlpb.DelegateRequest) { r.TransientKey = r.TransientKey[:31] }, codes.InvalidArgument},
			{"a long key", func(r *controlpb.DelegateRequest) { r.TransientKey = make([]byte, 33) }, codes.InvalidArgument},
			{"a bad name", func(r *controlpb.DelegateRequest) { r.Name = "W 1" }, codes.InvalidArgument},
			{"hand-over", func(r *controlpb.DelegateRequest) { r.HandOver = true }, codes.PermissionDenied},
		} {
			r := request(t)
			wrong.change(r)
			reply, err := w.delegate(r)
			if status.Code(err) != wrong.code {
				t.Errorf("%s: %v, %v; want %v", wrong.what, reply, err, wrong.code)
			}
		}
	})
}

// Keys that are permitted themselves can permit nobody.
func TestDelegateWithOfflineKeys(t *testing.T) {
	inBubble(t, Policy{}, func(w *bench) {
		own, err := i2p.GenerateKeys()
		if err != nil {
			t.Fatal(err)
		}
		key := own.Destination.SigningKey()
		offline, err := i2p.SignOffline(w.b.cfg.Keys, key, time.Now().Add(time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		keys := *w.b.cfg.Keys
		keys.Signing, keys.Offline = own.Signing, offline
		w.stop()
		cfg := w.b.cfg
		cfg.Keys = &keys
		w.start(cfg)
		if _, err := w.delegate(request(t)); status.Code(err) != codes.FailedPrecondition {
			t.Errorf("%v, want FailedPrecondition", err)
		}
	})
}

// A key is handed over where the policy allows it, as of the moment at which
// the state has that policy and the balancer is told to look.
func TestHandOver(t *testing.T) {
	inBubble(t, Policy{}, func(w *bench) {
		r := &controlpb.DelegateRequest{Version: 1, Name: "w1", HandOver: true}
		allow := func(on bool) {
			t.Helper()
			_, err := w.store.Apply(w.ctx, ledger.PutPolicy(w.b.hash, ledger.Policy{HandOverKeys: on}))
			if err != nil {
				t.Fatal(err)
			}
			w.b.kick()
			time.Sleep(10 * time.Millisecond) // of the bubble
		}
		allow(true)
		reply, err := w.delegate(r)
		if err != nil {
			t.Fatal(err)
		}
		keys, err := i2p.ParseKeys(reply.GetPrivateKeys())
		if err != nil || keys.Destination != w.b.cfg.Keys.Destination {
			t.Errorf("handed over %v, %v", keys, err)
		}
		allow(false)
		if _, err := w.delegate(r); status.Code(err) != codes.PermissionDenied {
			t.Errorf("after it was forbidden: %v", err)
		}
	})
}

func TestOnlyWhoMayDelegates(t *testing.T) {
	inBubble(t, Policy{HandOverKeys: true}, func(w *bench) {
		w.b.cfg.Authorize = func(_ context.Context, role, name string) error {
			if role != RoleBackend || name != "other" {
				return errNotYou
			}
			return nil
		}
		for _, handOver := range []bool{false, true} {
			r := request(t)
			r.HandOver = handOver
			if _, err := w.delegate(r); status.Code(err) != codes.PermissionDenied {
				t.Errorf("hand-over %v in another's name: %v", handOver, err)
			}
		}
	})
}

func TestFollowerRedirectsDelegate(t *testing.T) {
	inBubble(t, Policy{}, func(w *bench) {
		store := &following{Store: w.store, changed: make(chan struct{})}
		store.addr.Store("next:1")
		b, err := New(Config{Keys: w.b.cfg.Keys, Store: store})
		if err != nil {
			t.Fatal(err)
		}
		reply, err := b.Control().Delegate(w.ctx, request(t))
		if err != nil || reply.GetRedirect().GetLeader() != "next:1" || len(reply.GetOfflineSignature()) > 0 {
			t.Errorf("%v, %v: want a redirect to next:1", reply, err)
		}
	})
}

// A Store that cannot commit gives no permission away.
func TestNoPermissionWithoutACommit(t *testing.T) {
	inBubble(t, Policy{}, func(w *bench) {
		w.stop() // its Run reads cfg; it stays in office only in name
		w.b.cfg.Store = failing{w.store}
		w.b.inOffice = true
		reply, err := w.delegate(request(t))
		if status.Code(err) != codes.Unavailable || reply != nil {
			t.Errorf("%v, %v: want Unavailable", reply, err)
		}
	})
}

func TestReplicatedPolicy(t *testing.T) {
	for _, c := range []struct {
		what   string
		policy ledger.Policy
		ok     bool
	}{
		{"none", ledger.Policy{}, true},
		{"an own life", ledger.Policy{OwnLife: 200 * time.Second}, true},
		{"too many tunnels", ledger.Policy{Tunnels: 17}, false},
		{"a refresh that outlives what it renews", ledger.Policy{MergedLife: 60 * time.Second, MergedRefresh: 90 * time.Second}, false},
		{"a refresh beyond the default life", ledger.Policy{OwnRefresh: 2 * time.Minute}, false},
		{"a rotation that is none", ledger.Policy{Rotation: "daily"}, false},
		{"permissions of a minute", ledger.Policy{DelegationLife: time.Minute}, true},
		{"permissions of a second", ledger.Policy{DelegationLife: time.Second}, false},
		{"permissions of a year", ledger.Policy{DelegationLife: 365 * 24 * time.Hour}, false},
	} {
		if err := (Policy{}).CheckWith(c.policy); (err == nil) != c.ok {
			t.Errorf("%s: %v", c.what, err)
		}
	}
}

// failing is a Store that cannot commit.
type failing struct{ Store }

func (failing) Apply(context.Context, *statepb.Command) (ledger.Result, error) {
	return ledger.Result{}, ledger.ErrUncertain
}
