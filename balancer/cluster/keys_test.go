package cluster

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"

	"github.com/onelease/onelease/balancer/cluster/clusterpb"
	"github.com/onelease/onelease/balancer/controlpb"
	"github.com/onelease/onelease/balancer/keystore"
	"github.com/onelease/onelease/i2p"
)

func newKeys(t *testing.T) *i2p.Keys {
	t.Helper()
	keys, err := i2p.GenerateKeys()
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// unlock sends keys to a balancer as the first one's operator would.
func (r *rig) unlock(n *Node, keys []byte) error {
	r.t.Helper()
	conn, err := r.client().To(n.Address())
	if err != nil {
		r.t.Fatal(err)
	}
	defer conn.Close()
	_, err = conn.Unlock(r.t.Context(), &clusterpb.UnlockRequest{PrivateKeys: keys})
	return err
}

// lockAll has the nodes forget the keys that they have in memory.
func (r *rig) lockAll() {
	for _, n := range r.nodes {
		n.memory.Lock()
	}
}

// Balancers without keys vote, say why they do not serve, and serve as soon as
// one of them has been unlocked, which then leads.
func TestLocked(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.secret = nil
	r.form(3)
	frontend := r.join("frontend", "f1")
	r.lockAll()
	var leader *Node
	r.until("a locked node leads, and says what is wrong", func() bool {
		for _, n := range r.nodes {
			if n.store.Leader().Self && n.Balancer() == nil {
				leader = n
				return true
			}
		}
		return false
	})
	conn, err := r.clientOf(frontend).To(leader.Address())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_, _, err = attach(t.Context(), conn.Control, "f1")
	wantCode(t, "attach while all are locked", err, codes.Unavailable, leader.Name(), "onelease cluster unlock")
	_, err = conn.Members(t.Context(), &clusterpb.MembersRequest{})
	if err != nil {
		t.Errorf("Members while all are locked: %v", err)
	}

	follower := r.nodes[0]
	if follower == leader {
		follower = r.nodes[1]
	}
	for _, wrong := range []struct {
		what string
		keys []byte
		says string
	}{
		{"nothing", nil, ""},
		{"noise", bytes.Repeat([]byte{0xa5}, 700), ""},
		{"another Destination's", newKeys(t).Bytes(), "this cluster's is " + r.keys.Destination.Base32()},
		{"transient ones", transient(t, r.keys).Bytes(), "give the Destination's own"},
	} {
		wantCode(t, wrong.what, r.unlock(follower, wrong.keys), codes.InvalidArgument, wrong.says)
	}
	if _, ok := follower.memory.Keys(); ok {
		t.Fatal("unlocked by wrong keys")
	}
	if err := r.unlock(follower, r.keys.Bytes()); err != nil {
		t.Fatal(err)
	}
	if got := r.awaitLeader(); got != follower {
		t.Errorf("%s leads, want the one with keys, %s", got.Name(), follower.Name())
	}
	if _, first, err := attach(t.Context(), r.leaderFor(frontend).Control, "f1"); err != nil || first.GetWelcome() == nil {
		t.Errorf("attach after Unlock: %v, %v", first, err)
	}
	if reply, err := r.client().Members(t.Context()); err != nil || !reply.GetUnlocked() || reply.GetOffice() != "leads" {
		t.Errorf("the leader says it is unlocked %v and %q, %v", reply.GetUnlocked(), reply.GetOffice(), err)
	}
}

// Two locked nodes do not hand the lead to each other without end.
func TestLockedKeepTheLead(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.secret = nil
	r.form(2)
	r.lockAll()
	term := func() uint64 {
		result, err := r.lockedLeader().store.Apply(t.Context(), touch(r))
		if err != nil {
			t.Fatal(err)
		}
		return result.Term
	}
	before := term()
	timer := time.NewTimer(2*lookAgain + lookAgain/2) // time for two rounds
	defer timer.Stop()
	<-timer.C
	if after := term(); after != before {
		t.Errorf("term %d, then %d: the lead went round", before, after)
	}
}

func TestKeysAtRest(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.form(1)
	r.nodes[0].Kill()
	path := filepath.Join(r.nodeDir(0), keysName)
	sealed, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	put := func(content []byte) {
		t.Helper()
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	start := func(secret *keystore.Secret) error {
		node, err := Start(Config{Dir: r.nodeDir(0), Listener: listen(t), Secret: secret, Logger: r.logger})
		if err == nil {
			node.Kill()
		}
		return err
	}
	if err := start(otherSecret(t)); !errors.Is(err, keystore.ErrWrongSecret) || !strings.Contains(err.Error(), path) || strings.Contains(err.Error(), "battery") {
		t.Errorf("wrong secret: %v", err)
	}
	tampered := bytes.Clone(sealed)
	tampered[len(tampered)-1] ^= 1
	put(tampered)
	if err := start(r.secret); !errors.Is(err, keystore.ErrDamaged) || !strings.Contains(err.Error(), "another balancer's") {
		t.Errorf("tampered: %v", err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := keystore.Create(path, newKeys(t), r.secret); err != nil {
		t.Fatal(err)
	}
	if err := start(r.secret); !errors.Is(err, keystore.ErrDestination) || !strings.Contains(err.Error(), path) {
		t.Errorf("another Destination's: %v", err)
	}
	put(sealed)
	if err := start(r.secret); err != nil {
		t.Errorf("the right one again: %v", err)
	}
}

// A bufferLog is a log at debug level.
type bufferLog struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *bufferLog) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

func (l *bufferLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// forms are how bytes may show in a text.
func forms(secret []byte) []string {
	return []string{
		string(secret), hex.EncodeToString(secret), strings.ToUpper(hex.EncodeToString(secret)),
		strings.TrimRight(base64.RawStdEncoding.EncodeToString(secret), "="), base64.RawURLEncoding.EncodeToString(secret),
		i2p.Base64.EncodeToString(secret), fmt.Sprint(secret), strings.Trim(fmt.Sprintf("%q", secret), `"`),
	}
}

// No key and no token is ever logged, told in an error, or in what Members and
// GetStatus answer: over forming a cluster, unlocking it, and a failover.
func TestSecretsStaySecret(t *testing.T) {
	t.Parallel()
	var log bufferLog
	r := newRig(t)
	r.secret = nil
	r.logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	r.form(3)
	token := r.invite("frontend", "f1")
	seen := []string{fmt.Sprintf("%v %+v %#v", token, token, token)}
	tell := func(m proto.Message, err error) { seen = append(seen, prototext.Format(m), fmt.Sprint(err)) }
	spoilt := r.keys.Bytes()
	spoilt[len(spoilt)-1] ^= 1
	seen = append(seen, fmt.Sprint(r.unlock(r.nodes[1], spoilt)), fmt.Sprint(r.unlock(r.nodes[1], r.keys.Bytes())), fmt.Sprint(r.unlock(r.nodes[2], r.keys.Bytes())))
	dir := filepath.Join(t.TempDir(), "f1")
	for range 2 { // the second time it is used
		seen = append(seen, fmt.Sprint(Join(t.Context(), JoinConfig{Dir: dir, Token: token})))
		_, err := r.ask(token, nil)
		seen = append(seen, fmt.Sprint(err))
	}
	if _, _, err := attach(t.Context(), r.leaderFor(dir).Control, "f1"); err != nil {
		t.Fatal(err)
	}
	r.awaitLeader().Kill()
	next := r.leaderFor(dir)
	tell(next.Members(t.Context(), &clusterpb.MembersRequest{}))
	tell(next.Control.GetStatus(t.Context(), &controlpb.StatusRequest{}))
	for _, n := range r.nodes {
		n.Kill()
	}
	all := log.String() + strings.Join(seen, "\n")
	if !strings.Contains(all, "unlocked") || !strings.Contains(all, "this balancer leads") {
		t.Fatal("the log has not what happened")
	}
	epoch, err := r.keys.EpochKey(0)
	if err != nil {
		t.Fatal(err)
	}
	seal, err := sealOf(r.keys)
	if err != nil {
		t.Fatal(err)
	}
	secrets := map[string][]byte{
		"the signing key": r.keys.Signing, "the epoch's key": epoch.Bytes(), "the token's secret": token.Secret(),
		"the token": []byte(token.Text()), "the seal of the CA's key": seal[:],
	}
	for name, secret := range secrets {
		for _, form := range forms(secret) {
			if strings.Contains(all, form) {
				t.Errorf("%s is told", name)
			}
		}
	}
}
