package cluster

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/onelease/onelease/balancer"
	"github.com/onelease/onelease/balancer/cluster/clusterpb"
	"github.com/onelease/onelease/balancer/keystore"
	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/internal/pki"
	"github.com/onelease/onelease/raftstate"
	"github.com/onelease/onelease/raftstate/ledger"
	"github.com/onelease/onelease/raftstate/statepb"
)

// A rig is a cluster on the loopback.
type rig struct {
	t      *testing.T
	dir    string
	keys   *i2p.Keys
	secret *keystore.Secret // nil: the nodes have keys in memory only
	logger *slog.Logger
	policy balancer.Policy
	preset raftstate.Preset
	nodes  []*Node
}

// calm is twice LAN: a busy machine that runs tests loses no leader by it.
var calm = raftstate.Preset{Heartbeat: 500 * time.Millisecond, LeaderLease: 250 * time.Millisecond, Commit: 50 * time.Millisecond}

func newRig(t *testing.T) *rig {
	t.Helper()
	keys, err := i2p.GenerateKeys()
	if err != nil {
		t.Fatal(err)
	}
	return &rig{t: t, dir: t.TempDir(), keys: keys, secret: testSecret(t), logger: quiet(t), preset: calm}
}

// testSecret is an age identity: unlike a passphrase it opens in no time.
func testSecret(t *testing.T) *keystore.Secret {
	t.Helper()
	path := filepath.Join(t.TempDir(), "identity")
	const identity = "AGE-SECRET-KEY-184JMZMVQH3E6U0PSL869004Y3U2NYV7R30EU99CSEDNPH02YUVFSZW44VU\n"
	if err := os.WriteFile(path, []byte(identity), 0o600); err != nil {
		t.Fatal(err)
	}
	secret, err := keystore.IdentityFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return secret
}

// quiet logs errors only: most tests kill nodes.
func quiet(t *testing.T) *slog.Logger {
	return slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelError}))
}

// listen takes a free port of the loopback.
func listen(t *testing.T) net.Listener {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return ln
}

func (r *rig) nodeDir(i int) string { return filepath.Join(r.dir, fmt.Sprintf("b%d", i+1)) }

// form makes a cluster of n, and returns when all are members.
func (r *rig) form(n int) {
	r.t.Helper()
	ln := listen(r.t)
	err := Init(InitConfig{Dir: r.nodeDir(0), ID: "b1", Address: ln.Addr().String(), Keys: r.keys, Secret: r.secret})
	if err != nil {
		r.t.Fatal(err)
	}
	first := r.start(0, ln)
	if r.secret == nil {
		if err := first.Unlock(r.keys); err != nil {
			r.t.Fatal(err)
		}
	}
	r.awaitLeader()
	for i := 1; i < n; i++ {
		r.add(i)
	}
}

// add has another balancer join.
func (r *rig) add(i int) {
	r.t.Helper()
	r.addWith(i, r.invite("balancer", fmt.Sprintf("b%d", i+1)).Text())
}

// addWith has another balancer join with that token.
func (r *rig) addWith(i int, text string) {
	r.t.Helper()
	token, err := pki.ParseToken(text)
	if err != nil {
		r.t.Fatal(err)
	}
	ln := listen(r.t)
	if err := Join(r.t.Context(), JoinConfig{Dir: r.nodeDir(i), Address: ln.Addr().String(), Token: token}); err != nil {
		r.t.Fatal(err)
	}
	r.start(i, ln)
	r.until("it is a member with a vote", func() bool {
		reply, err := r.client().Members(r.t.Context())
		return err == nil && len(reply.GetMembers()) == i+1 && reply.GetMembers()[i].GetVoter()
	})
}

func (r *rig) start(i int, ln net.Listener) *Node {
	r.t.Helper()
	node, err := Start(Config{Dir: r.nodeDir(i), Listener: ln, Secret: r.secret, Policy: r.policy, Preset: r.preset, Logger: r.logger})
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(node.Kill)
	for len(r.nodes) <= i {
		r.nodes = append(r.nodes, nil)
	}
	r.nodes[i] = node
	return node
}

// addrs are those of the balancers that run.
func (r *rig) addrs() []string {
	var addrs []string
	for _, n := range r.nodes {
		if n.ctx.Err() == nil {
			addrs = append(addrs, n.Address())
		}
	}
	return addrs
}

// client has the certificate of the first balancer.
func (r *rig) client() *Client { return r.clientOf(r.nodeDir(0)) }

// clientOf has the certificate of the node in dir.
func (r *rig) clientOf(dir string) *Client {
	r.t.Helper()
	client, err := NewClient(dir, r.addrs()...)
	if err != nil {
		r.t.Fatal(err)
	}
	return client
}

// leaderFor connects to the leader with the certificate of the node in dir.
func (r *rig) leaderFor(dir string) *Conn {
	r.t.Helper()
	conn, err := r.clientOf(dir).To(r.awaitLeader().Address())
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { conn.Close() })
	return conn
}

// operator may give commands.
func (r *rig) operator() *Client {
	r.t.Helper()
	leader := r.awaitLeader()
	pass, err := newPass(leader.creds.Credentials(), leader.pass)
	if err != nil {
		r.t.Fatal(err)
	}
	return &Client{creds: pki.Static(pass), addrs: r.addrs(), dial: dialTCP}
}

// leader connects to the leader as an operator.
func (r *rig) leader() *Conn {
	r.t.Helper()
	conn, err := r.operator().To(r.awaitLeader().Address())
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { conn.Close() })
	return conn
}

func (r *rig) invite(role, name string) *pki.Token {
	r.t.Helper()
	var reply *clusterpb.InviteReply
	r.until("an invitation", func() (ok bool) {
		var err error
		reply, err = r.leader().Invite(r.t.Context(), &clusterpb.InviteRequest{Role: role, Name: name})
		return r.passed(err)
	})
	token, err := pki.ParseToken(reply.GetToken())
	if err != nil {
		r.t.Fatal(err)
	}
	return token
}

// passed reports whether err is nil. One that passes by itself, as when a busy
// machine loses its leader, is tried again; others end the test.
func (r *rig) passed(err error) bool {
	r.t.Helper()
	if err != nil && status.Code(err) != codes.Unavailable && status.Code(err) != codes.FailedPrecondition && errors.Is(err, ErrRefused) {
		r.t.Fatal(err)
	}
	return err == nil
}

// join makes a node of that role and name and returns its directory.
func (r *rig) join(role, name string) string {
	r.t.Helper()
	c := JoinConfig{Dir: filepath.Join(r.t.TempDir(), name)}
	if role == string(pki.Balancer) {
		c.Address = "127.0.0.1:1"
	}
	r.until(role+" "+name+" has joined", func() bool {
		c.Token = r.invite(role, name)
		return r.passed(Join(r.t.Context(), c))
	})
	return c.Dir
}

// tlsOf is what the node in dir connects to balancers with.
func (r *rig) tlsOf(dir string) *tls.Config {
	r.t.Helper()
	files, err := pki.NewReloader(dir)
	if err != nil {
		r.t.Fatal(err)
	}
	return pki.ClientTLS(files, pki.Balancer, "")
}

// wantCode fails the test unless err has that code, and says so in these words.
func wantCode(t *testing.T, what string, err error, code codes.Code, words ...string) {
	t.Helper()
	if status.Code(err) != code {
		t.Errorf("%s: error %v, want %v", what, err, code)
		return
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("%s: error %q does not say %q", what, err, w)
		}
	}
}

// awaitLeader returns the node that leads and is in office.
func (r *rig) awaitLeader() *Node {
	r.t.Helper()
	var leader *Node
	r.until("somebody leads", func() bool {
		for _, n := range r.nodes {
			if b := n.Balancer(); b != nil && n.ctx.Err() == nil && b.Status().GetLeader() {
				leader = n
				return true
			}
		}
		return false
	})
	return leader
}

// until polls, since what is waited for crosses processes in other tests.
func (r *rig) until(what string, ok func() bool) {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), 20*time.Second)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			r.t.Fatalf("not within 20 s: %s", what)
		}
	}
}

// transient are keys that the Destination's own have permitted to sign.
func transient(t *testing.T, own *i2p.Keys) *i2p.Keys {
	t.Helper()
	fresh, err := i2p.GenerateKeys()
	if err != nil {
		t.Fatal(err)
	}
	offline, err := i2p.SignOffline(own, fresh.Destination.SigningKey(), time.Now().Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	return &i2p.Keys{Destination: own.Destination, Encryption: own.Encryption, Signing: fresh.Signing, Offline: offline}
}

// otherSecret opens nothing that testSecret has sealed.
func otherSecret(t *testing.T) *keystore.Secret {
	t.Helper()
	path := filepath.Join(t.TempDir(), "passphrase")
	if err := os.WriteFile(path, []byte("correct horse battery staple\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	secret, err := keystore.PassphraseFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return secret
}

// lockedLeader waits for raft's leader, who need not be in office.
func (r *rig) lockedLeader() *Node {
	r.t.Helper()
	var leader *Node
	r.until("somebody leads", func() bool {
		for _, n := range r.nodes {
			if n.store.Leader().Self {
				leader = n
			}
		}
		return leader != nil
	})
	return leader
}

// touch is a command that changes nothing that matters.
func touch(r *rig) *statepb.Command {
	return ledger.RemoveDelegation(r.keys.Destination.Hash(), "nobody")
}
