package cluster

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/onelease/onelease/balancer/cluster/clusterpb"
	"github.com/onelease/onelease/balancer/keystore"
	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/internal/pki"
)

// A rig is a cluster on the loopback.
type rig struct {
	t      *testing.T
	dir    string
	keys   *i2p.Keys
	secret *keystore.Secret
	nodes  []*Node
}

func newRig(t *testing.T) *rig {
	t.Helper()
	keys, err := i2p.GenerateKeys()
	if err != nil {
		t.Fatal(err)
	}
	return &rig{t: t, dir: t.TempDir(), keys: keys, secret: testSecret(t)}
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

func quiet(t *testing.T) *slog.Logger {
	return slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
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
	r.start(0, ln)
	r.awaitLeader()
	for i := 1; i < n; i++ {
		r.add(i)
	}
}

// add has another balancer join.
func (r *rig) add(i int) {
	r.t.Helper()
	ln := listen(r.t)
	err := Join(r.t.Context(), JoinConfig{
		Dir: r.nodeDir(i), Address: ln.Addr().String(), Token: r.invite("balancer", fmt.Sprintf("b%d", i+1)),
	})
	if err != nil {
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
	node, err := Start(Config{Dir: r.nodeDir(i), Listener: ln, Secret: r.secret, Logger: quiet(r.t)})
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

// client has the certificate of the first balancer.
func (r *rig) client() *Client {
	r.t.Helper()
	var addrs []string
	for _, n := range r.nodes {
		addrs = append(addrs, n.Address())
	}
	client, err := NewClient(r.nodeDir(0), addrs...)
	if err != nil {
		r.t.Fatal(err)
	}
	return client
}

func (r *rig) invite(role, name string) *pki.Token {
	r.t.Helper()
	leader, err := r.client().Leader(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	defer leader.Close()
	reply, err := leader.Invite(r.t.Context(), &clusterpb.InviteRequest{Role: role, Name: name})
	if err != nil {
		r.t.Fatal(err)
	}
	token, err := pki.ParseToken(reply.GetToken())
	if err != nil {
		r.t.Fatal(err)
	}
	return token
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
