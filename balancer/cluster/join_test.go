package cluster

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/onelease/onelease/balancer/cluster/clusterpb"
	"github.com/onelease/onelease/internal/nodedir"
	"github.com/onelease/onelease/internal/pki"
	"github.com/onelease/onelease/raftstate/ledger"
)

// ask redeems a token at the leader, after change has spoiled the request.
func (r *rig) ask(token *pki.Token, change func(*clusterpb.JoinRequest)) (*clusterpb.JoinReply, error) {
	r.t.Helper()
	key, err := pki.NewKey()
	if err != nil {
		r.t.Fatal(err)
	}
	csr, err := pki.CSR(key, token.Node.Role, token.Node.Name)
	if err != nil {
		r.t.Fatal(err)
	}
	conn, err := connect(r.awaitLeader().Address(), dialTCP, pki.JoinTLS(token))
	if err != nil {
		r.t.Fatal(err)
	}
	defer conn.Close()
	request := &clusterpb.JoinRequest{
		Version: joinVersion, Invite: token.Invite, Secret: token.Proof(csr), Request: csr, ClockMs: time.Now().UnixMilli(),
	}
	if change != nil {
		change(request)
	}
	return conn.Join(r.t.Context(), request)
}

// otherRequest is for a key of somebody who reads on the way.
func (r *rig) otherRequest() []byte {
	r.t.Helper()
	key, err := pki.NewKey()
	if err != nil {
		r.t.Fatal(err)
	}
	csr, err := pki.CSR(key, pki.Frontend, "f1")
	if err != nil {
		r.t.Fatal(err)
	}
	return csr
}

// A program of an earlier version shows the secret itself.
func TestOlderJoin(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.form(1)
	token := r.invite("frontend", "f1")
	if _, err := r.ask(token, func(j *clusterpb.JoinRequest) { j.Version, j.Secret = 1, token.Secret() }); err != nil {
		t.Error(err)
	}
}

// A token lets one node in, once, whoever leads; a mistake does not cost it.
func TestTokenIsForOne(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.form(3)
	token := r.invite("frontend", "f1")
	for _, wrong := range []struct {
		what   string
		change func(*clusterpb.JoinRequest)
		code   codes.Code
		says   string
	}{
		{"another version", func(j *clusterpb.JoinRequest) { j.Version = 3 }, codes.FailedPrecondition, "version 3"},
		{"a wrong secret", func(j *clusterpb.JoinRequest) { j.Secret[0]++ }, codes.PermissionDenied, "onelease cluster invite"},
		{"half a secret", func(j *clusterpb.JoinRequest) { j.Secret = j.Secret[:16] }, codes.PermissionDenied, "not known"},
		{"no secret", func(j *clusterpb.JoinRequest) { j.Secret = nil }, codes.PermissionDenied, "not known"},
		{"a wrong secret of an older program", func(j *clusterpb.JoinRequest) { j.Version, j.Secret = 1, make([]byte, 32) }, codes.PermissionDenied, "not known"},
		{"the proof of another request", func(j *clusterpb.JoinRequest) { j.Request = r.otherRequest() }, codes.PermissionDenied, "not known"},
		{"a clock ahead", func(j *clusterpb.JoinRequest) { j.ClockMs += 61_000 }, codes.FailedPrecondition, "use the same token again"},
		{"a clock behind", func(j *clusterpb.JoinRequest) { j.ClockMs -= 61_000 }, codes.FailedPrecondition, "NTP"},
		{"a request that is none", func(j *clusterpb.JoinRequest) { j.Request, j.Secret = []byte("please"), token.Proof([]byte("please")) }, codes.InvalidArgument, "certificate request"},
	} {
		_, err := r.ask(token, wrong.change)
		wantCode(t, wrong.what, err, wrong.code, wrong.says)
	}
	reply, err := r.ask(token, nil)
	if err != nil {
		t.Fatalf("after the mistakes: %v", err)
	}
	if len(reply.GetAuthority()) > 0 || len(reply.GetSealedKeys()) > 0 {
		t.Error("a frontend got the CA's or the Destination's keys")
	}
	_, err = r.ask(token, nil)
	wantCode(t, "the same again", err, codes.PermissionDenied, "was used")
	r.awaitLeader().Kill()
	r.until("one leads again", func() bool {
		_, err = r.ask(token, nil)
		return status.Code(err) != codes.Unavailable
	})
	wantCode(t, "the same at the next leader", err, codes.PermissionDenied, "was used")
}

// What a balancer gets must be what makes it one, or the test above that a
// frontend does not get it would say nothing.
func TestBalancerGetsTheKeys(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.form(1)
	reply, err := r.ask(r.invite("balancer", "b2"), nil)
	if err != nil || len(reply.GetAuthority()) == 0 || len(reply.GetSealedKeys()) == 0 || !reply.GetVoter() {
		t.Errorf("authority of %d bytes, keys of %d, voter %v, error %v",
			len(reply.GetAuthority()), len(reply.GetSealedKeys()), reply.GetVoter(), err)
	}
	_, err = r.ask(r.marked(), nil)
	wantCode(t, "a mark for a token", err, codes.PermissionDenied)
}

// marked is a token with the ID of a mark, whose digest no secret has.
func (r *rig) marked() *pki.Token {
	r.t.Helper()
	token := r.invite("operator", "eve")
	if err := r.awaitLeader().mark(r.t.Context(), token.Node); err != nil {
		r.t.Fatal(err)
	}
	token.Invite = markID(token.Node)
	return token
}

func TestExpiredToken(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.form(1)
	leader := r.awaitLeader()
	id := pki.Identity{Cluster: leader.info.Cluster, Role: pki.Frontend, Name: "f1"}
	token, err := leader.ca.Load().NewToken(id, r.addrs(), time.Now().Add(-2*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	_, err = leader.store.Apply(t.Context(), ledger.PutInvite(ledger.Invite{
		ID: token.Invite, SecretDigest: token.Digest(), Role: "frontend", Name: "f1", Expires: uint32(token.Expires.Unix()),
	}, token.Expires))
	if err != nil {
		t.Fatal(err)
	}
	_, err = r.ask(token, nil)
	wantCode(t, "an expired token", err, codes.PermissionDenied, "expired", "onelease cluster invite")

	for _, life := range []time.Duration{time.Millisecond, 8 * 24 * time.Hour} {
		_, err := r.leader().Invite(t.Context(), &clusterpb.InviteRequest{Role: "frontend", Name: "f1", LifeMs: life.Milliseconds()})
		wantCode(t, "an invitation for "+life.String(), err, codes.InvalidArgument, "want 1s to 168h")
	}
	_, err = r.leader().Invite(t.Context(), &clusterpb.InviteRequest{Role: "balancer", Name: "b1"})
	wantCode(t, "the name of a balancer that there is", err, codes.AlreadyExists, "choose another name")
	_, err = r.leader().Invite(t.Context(), &clusterpb.InviteRequest{Role: "king", Name: "b2"})
	wantCode(t, "no role", err, codes.InvalidArgument)
}

func TestTokenCutInTheMiddle(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.form(1)
	text := r.invite("frontend", "f1").Text()
	_, err := pki.ParseToken(text[:len(text)/2])
	if !errors.Is(err, pki.ErrTokenTruncated) || strings.Contains(err.Error(), text[20:40]) {
		t.Errorf("half a token: %v, want ErrTokenTruncated without the token", err)
	}
}

// The token of another cluster is refused by the joiner, before its secret has
// gone anywhere: a balancer cannot spend what is meant for another.
func TestTokenOfAnotherCluster(t *testing.T) {
	t.Parallel()
	r, other := newRig(t), newRig(t)
	r.form(1)
	other.form(1)
	token := other.invite("frontend", "f1")
	token.Balancers = r.addrs()
	dir := filepath.Join(t.TempDir(), "f1")
	err := Join(t.Context(), JoinConfig{Dir: dir, Token: token})
	if err == nil || !strings.Contains(err.Error(), "check token and address") {
		t.Errorf("at another cluster: %v", err)
	}
	token.Balancers = other.addrs()
	if err := Join(t.Context(), JoinConfig{Dir: dir, Token: token}); err != nil {
		t.Errorf("at its own, with the same directory: %v", err)
	}
}

// Who joins while the balancers hold an election waits for who is elected.
func TestJoinInAnElection(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.form(3)
	token := r.invite("frontend", "f1")
	r.awaitLeader().Kill()
	if err := Join(t.Context(), JoinConfig{Dir: filepath.Join(t.TempDir(), "f1"), Token: token}); err != nil {
		t.Error(err)
	}
}

// Two invitations for a name are one balancer.
func TestNameIsTakenMeanwhile(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.form(1)
	second := r.invite("balancer", "b2")
	r.add(1)
	_, err := r.ask(second, nil)
	wantCode(t, "b2 again", err, codes.AlreadyExists, "remove that one first")
}

// An invitation is not spent on what cannot work anyway.
func TestJoinLooksFirst(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.form(1)
	token := r.invite("balancer", "b2")
	left := t.TempDir() // as an interrupted Join leaves it
	if err := os.WriteFile(filepath.Join(left, "node.key"), []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, wrong := range []struct {
		what   string
		config JoinConfig
		err    error
		says   string
	}{
		{"no token", JoinConfig{Dir: t.TempDir()}, ErrInvalid, "onelease cluster invite"},
		{"no directory", JoinConfig{Token: token, Address: "10.0.0.2:7660"}, ErrInvalid, "Dir"},
		{"a directory in use", JoinConfig{Dir: r.nodeDir(0), Token: token, Address: "10.0.0.2:7660"}, ErrExists, "b1"},
		{"an interrupted try", JoinConfig{Dir: left, Token: token, Address: "10.0.0.2:7660"}, ErrExists, "interrupted"},
		{"a file", JoinConfig{Dir: file, Token: token, Address: "10.0.0.2:7660"}, nil, file},
		{"no address", JoinConfig{Dir: t.TempDir(), Token: token}, ErrInvalid, "host:port"},
		{"any address", JoinConfig{Dir: t.TempDir(), Token: token, Address: "0.0.0.0:7660"}, ErrInvalid, "name this machine"},
		{"no port", JoinConfig{Dir: t.TempDir(), Token: token, Address: "10.0.0.2"}, ErrInvalid, "host:port"},
	} {
		err := Join(t.Context(), wrong.config)
		if err == nil || wrong.err != nil && !errors.Is(err, wrong.err) || !strings.Contains(err.Error(), wrong.says) {
			t.Errorf("%s: %v, want %v that says %q", wrong.what, err, wrong.err, wrong.says)
		}
	}
	if err := Join(t.Context(), JoinConfig{Dir: t.TempDir(), Token: token, Address: "127.0.0.1:1"}); err != nil {
		t.Errorf("the token after all that: %v", err)
	}
	if _, err := Start(Config{Dir: left}); err == nil || !strings.Contains(err.Error(), "onelease cluster join") {
		t.Errorf("Start after an interrupted join: %v", err)
	}
}

func TestInitLooksFirst(t *testing.T) {
	r := newRig(t)
	offline := transient(t, r.keys)
	good := InitConfig{Dir: r.nodeDir(0), ID: "b1", Address: "10.0.0.1:7660", Keys: r.keys, Secret: r.secret}
	for _, wrong := range []struct {
		what   string
		change func(*InitConfig)
	}{
		{"no directory", func(c *InitConfig) { c.Dir = "" }},
		{"no ID", func(c *InitConfig) { c.ID = "" }},
		{"a name with a slash", func(c *InitConfig) { c.ID = "../b1" }},
		{"no keys", func(c *InitConfig) { c.Keys = nil }},
		{"transient keys", func(c *InitConfig) { c.Keys = offline }},
		{"no address", func(c *InitConfig) { c.Address = "" }},
		{"too many", func(c *InitConfig) { c.Expect = 10 }},
	} {
		c := good
		wrong.change(&c)
		if err := Init(c); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v, want ErrInvalid", wrong.what, err)
		}
	}
	if _, err := os.Stat(good.Dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("what was refused has left something: %v", err)
	}
	if err := Init(good); err != nil {
		t.Fatal(err)
	}
	before, _ := os.ReadFile(filepath.Join(good.Dir, nodedir.FileName))
	if err := Init(good); !errors.Is(err, ErrExists) {
		t.Errorf("again: %v, want ErrExists", err)
	}
	if after, _ := os.ReadFile(filepath.Join(good.Dir, nodedir.FileName)); string(after) != string(before) || len(before) == 0 {
		t.Error("a second Init has changed the directory")
	}
}
