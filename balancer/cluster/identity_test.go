package cluster

import (
	"context"
	"crypto/tls"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/onelease/onelease/balancer/cluster/clusterpb"
	"github.com/onelease/onelease/balancer/controlpb"
	"github.com/onelease/onelease/internal/pki"
	"github.com/onelease/onelease/raftstate"
)

// attach says hello as the frontend of that name and returns the line and the
// first answer.
func attach(ctx context.Context, c controlpb.ControlClient, name string) (controlpb.Control_AttachClient, *controlpb.BalancerMessage, error) {
	line, err := c.Attach(ctx)
	if err != nil {
		return nil, nil, err
	}
	hello := &controlpb.Hello{Version: 1, Name: name, Member: true, ClockMs: time.Now().UnixMilli()}
	// What Send has to say, Recv says better.
	_ = line.Send(&controlpb.FrontendMessage{Kind: &controlpb.FrontendMessage_Hello{Hello: hello}})
	first, err := line.Recv()
	return line, first, err
}

// A call is one thing to ask of a balancer.
type call struct {
	name string
	do   func(ctx context.Context, c *Conn) error
}

func errorOf[T any](_ T, err error) error { return err }

// calls are all that there is to ask. None could do harm to a cluster of one
// that lets them through.
var calls = []call{
	{"Renew", func(ctx context.Context, c *Conn) error { return errorOf(c.Renew(ctx, &clusterpb.RenewRequest{})) }},
	{"Members", func(ctx context.Context, c *Conn) error { return errorOf(c.Members(ctx, &clusterpb.MembersRequest{})) }},
	{"Status", func(ctx context.Context, c *Conn) error {
		return errorOf(c.Control.GetStatus(ctx, &controlpb.StatusRequest{}))
	}},
	{"Invite", func(ctx context.Context, c *Conn) error { return errorOf(c.Invite(ctx, &clusterpb.InviteRequest{})) }},
	{"Change", func(ctx context.Context, c *Conn) error { return errorOf(c.Change(ctx, &clusterpb.ChangeRequest{})) }},
	{"SetPolicy", func(ctx context.Context, c *Conn) error {
		return errorOf(c.SetPolicy(ctx, &clusterpb.SetPolicyRequest{Policy: &clusterpb.Policy{Tunnels: 99}}))
	}},
	{"Drain", func(ctx context.Context, c *Conn) error {
		return errorOf(c.Drain(ctx, &clusterpb.DrainRequest{Frontend: "nobody"}))
	}},
	{"Unlock", func(ctx context.Context, c *Conn) error { return errorOf(c.Unlock(ctx, &clusterpb.UnlockRequest{})) }},
	{"Enter", func(ctx context.Context, c *Conn) error { return errorOf(c.Enter(ctx, &clusterpb.EnterRequest{})) }},
	{"Backup", func(ctx context.Context, c *Conn) error {
		stream, err := c.Backup(ctx, &clusterpb.BackupRequest{})
		if err != nil {
			return err
		}
		return errorOf(stream.Recv())
	}},
	{"Restore", func(ctx context.Context, c *Conn) error {
		stream, err := c.Restore(ctx)
		if err != nil {
			return err
		}
		return errorOf(stream.CloseAndRecv())
	}},
	{"Attach", func(ctx context.Context, c *Conn) error {
		_, _, err := attach(ctx, c.Control, "f1")
		return err
	}},
	{"Delegate", func(ctx context.Context, c *Conn) error {
		return errorOf(c.Control.Delegate(ctx, &controlpb.DelegateRequest{Version: 1, Name: "w1"}))
	}},
}

// reaches reports whether a call got past the guard.
func reaches(err error) bool {
	code := status.Code(err)
	return code != codes.PermissionDenied && code != codes.Unauthenticated
}

// Who may call what, over the whole service.
func TestRights(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.form(1)
	for _, who := range []struct{ role, name, may string }{
		{"frontend", "f1", "Renew Members Status Attach"},
		{"backend", "w1", "Renew Members Status Delegate"},
		{"guest", "sam-1", "Renew Members"},
		{"operator", "op", "Renew Members Status Invite Change SetPolicy Drain Unlock Backup Restore"},
		{"balancer", "new", "Members Enter"},
	} {
		r.checkRights(who.role, r.leaderFor(r.join(who.role, who.name)), who.may)
	}
	r.checkRights("member", r.leaderFor(r.nodeDir(0)), "Members Status Unlock Enter")
	nobody, err := connect(r.addrs()[0], dialTCP, pki.JoinTLS(r.invite("frontend", "f2")))
	if err != nil {
		t.Fatal(err)
	}
	defer nobody.Close()
	r.checkRights("nobody", nobody, "")
	_, err = nobody.Members(t.Context(), &clusterpb.MembersRequest{})
	wantCode(t, "nobody", err, codes.Unauthenticated, "join it first")
}

func (r *rig) checkRights(who string, c *Conn, may string) {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), 20*time.Second)
	defer cancel()
	allowed := strings.Fields(may)
	for _, call := range calls {
		want := false
		for _, name := range allowed {
			want = want || name == call.name
		}
		err := call.do(ctx, c)
		r.until("an answer to "+call.name, func() bool {
			if want || status.Code(err) != codes.Unavailable {
				return true
			}
			err = call.do(ctx, c) // a removal cuts connections that were there, which says nothing
			return false
		})
		if reaches(err) != want {
			r.t.Errorf("%s calls %s: %v, want allowed %v", who, call.name, err, want)
		}
	}
}

func TestActOnlyForOneself(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.form(1)
	frontend, backend := r.leaderFor(r.join("frontend", "f1")), r.leaderFor(r.join("backend", "w1"))
	_, _, err := attach(t.Context(), frontend.Control, "f2")
	wantCode(t, "attach as another", err, codes.PermissionDenied, `may not act as frontend "f2"`)
	if _, first, err := attach(t.Context(), frontend.Control, "f1"); err != nil || first.GetWelcome() == nil {
		t.Errorf("attach as oneself: %v, %v", first, err)
	}
	_, err = backend.Control.Delegate(t.Context(), &controlpb.DelegateRequest{Version: 1, Name: "w2", SigType: 7})
	wantCode(t, "delegate as another", err, codes.PermissionDenied, `may not act as backend "w2"`)
}

// Certificates that are not of this cluster, or not of this time, open nothing.
func TestForeignCertificates(t *testing.T) {
	t.Parallel()
	r, other := newRig(t), newRig(t)
	r.form(1)
	other.form(1)
	leader := r.awaitLeader()
	cluster := leader.info.Cluster
	forged, err := pki.NewCA(cluster)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	for _, c := range []struct {
		what string
		cert tls.Certificate
		ok   bool
	}{
		{"of this cluster", issue(t, leader.ca.Load(), 0, now), true},
		{"of another CA with its ID", issue(t, forged, 0, now), false},
		{"that has expired", issue(t, leader.ca.Load(), 0, now.Add(-2*pki.DefaultLife)), false},
		{"that is not good yet", issue(t, leader.ca.Load(), 0, now.Add(time.Hour)), false},
		{"of another cluster", issue(t, other.awaitLeader().ca.Load(), 0, now), false},
	} {
		conn, err := connect(leader.Address(), dialTCP, &tls.Config{
			InsecureSkipVerify: true, Certificates: []tls.Certificate{c.cert},
		})
		if err != nil {
			t.Fatal(err)
		}
		_, err = conn.Members(t.Context(), &clusterpb.MembersRequest{})
		conn.Close()
		if (err == nil) != c.ok {
			t.Errorf("a certificate %s: %v", c.what, err)
		}
	}
}

// issue makes an operator's certificate.
func issue(t *testing.T, ca *pki.CA, life time.Duration, now time.Time) tls.Certificate {
	t.Helper()
	key, err := pki.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	pem, err := ca.Issue(pki.Identity{Cluster: ca.Cluster(), Role: pki.Operator, Name: "op"}, key.Public(), life, now)
	if err != nil {
		t.Fatal(err)
	}
	creds, err := pki.NewCredentials(key, pem, ca.CertPEM())
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := creds.Save(dir); err != nil {
		t.Fatal(err)
	}
	cert, err := tls.LoadX509KeyPair(filepath.Join(dir, "node.crt"), filepath.Join(dir, "node.key"))
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

// raftTo says raft's hello to the first balancer with the certificate in dir,
// as the node of that ID.
func (r *rig) raftTo(dir, id string) error {
	r.t.Helper()
	ln := listen(r.t)
	config := r.tlsOf(dir)
	config.NextProtos = []string{alpnRaft}
	transport, err := raftstate.NewTransport(raftstate.TransportConfig{
		ID: id, Cluster: r.nodes[0].info.Cluster, Advertise: ln.Addr().String(), Listener: ln, Logger: r.logger,
		Dial: func(ctx context.Context, addr string) (net.Conn, error) {
			return (&tls.Dialer{Config: config}).DialContext(ctx, "tcp", addr)
		},
	})
	if err != nil {
		r.t.Fatal(err)
	}
	defer transport.Close()
	_, err = transport.Probe(r.t.Context(), r.nodes[0].Address())
	return err
}

// Raft, and with it a vote, is for members, each under its own name.
func TestRaftIsForMembers(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.form(2)
	if err := r.raftTo(r.nodeDir(1), "b2"); err != nil {
		t.Fatalf("a member: %v", err)
	}
	for _, c := range []struct{ what, dir, id, says string }{
		{"a member with another's ID", r.nodeDir(1), "b3", "not authorized"},
		{"a frontend", r.join("frontend", "b2"), "b2", ""},
		{"a backend", r.join("backend", "b2"), "b2", ""},
		{"an operator", r.join("operator", "b2"), "b2", ""},
		{"a guest", r.join("guest", "b2"), "b2", ""},
		{"a balancer that is no member", r.join("balancer", "b9"), "b9", "is not a member"},
	} {
		if err := r.raftTo(c.dir, c.id); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want a refusal that says %q", c.what, err, c.says)
		}
	}
}

func TestEnterWithAnAddressThatIsNoBalancer(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.form(1)
	conn := r.leaderFor(r.join("balancer", "b2"))
	free := listen(t)
	free.Close()
	for _, c := range []struct {
		address string
		code    codes.Code
		says    string
	}{
		{free.Addr().String(), codes.FailedPrecondition, "start it first"},
		{r.nodes[0].Address(), codes.InvalidArgument, "remove that one first"},
		{"nowhere", codes.InvalidArgument, "host:port"},
		{"0.0.0.0:7660", codes.InvalidArgument, "name this machine"},
	} {
		_, err := conn.Enter(t.Context(), &clusterpb.EnterRequest{Address: c.address, Voter: true})
		wantCode(t, c.address, err, c.code, c.says)
	}
	if reply, err := r.client().Members(t.Context()); err != nil || len(reply.GetMembers()) != 1 {
		t.Errorf("members %v, %v: want b1 alone", reply.GetMembers(), err)
	}
}
