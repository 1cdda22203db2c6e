package cluster

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"

	"github.com/onelease/onelease/balancer/cluster/clusterpb"
	"github.com/onelease/onelease/balancer/controlpb"
	"github.com/onelease/onelease/balancer/keystore"
	"github.com/onelease/onelease/internal/pki"
	"github.com/onelease/onelease/raftstate/ledger"
)

// copyDir copies a balancer's directory, as a thief has it.
func copyDir(t *testing.T, from string) (dir string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "copy")
	err := filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		to := filepath.Join(dir, strings.TrimPrefix(path, from))
		switch {
		case err != nil:
			return err
		case entry.IsDir():
			return os.Mkdir(to, 0o700)
		case !entry.Type().IsRegular():
			return nil // the socket
		}
		content, err := os.ReadFile(path)
		return errors.Join(err, os.WriteFile(to, content, 0o600))
	})
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// A copy of a balancer's directory and a way to the cluster are not enough to be let in,
// to let in, to give a command, or to have anything signed.
func TestStolenDirectory(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.form(3)
	follower := 1
	if r.awaitLeader() == r.nodes[follower] {
		follower = 2
	}
	r.nodes[follower].Kill() // its files are whole then
	dir := copyDir(t, r.nodeDir(follower))
	r.findsNoKey(dir)
	leader := r.leaderFor(dir)
	for what, err := range map[string]error{
		"a token": errorOf(leader.Invite(t.Context(), &clusterpb.InviteRequest{Role: "operator", Name: "eve"})),
		"a policy that hands over keys": errorOf(leader.SetPolicy(t.Context(), &clusterpb.SetPolicyRequest{
			Policy: &clusterpb.Policy{HandOverKeys: true}})),
		"a permission to sign": errorOf(leader.Control.Delegate(t.Context(), &controlpb.DelegateRequest{Version: 1, Name: r.nodes[follower].Name(), SigType: 7})),
		"a certificate":        r.renew(dir),
		"a removal":            errorOf(leader.Change(t.Context(), &clusterpb.ChangeRequest{Kind: clusterpb.ChangeRequest_KIND_REMOVE, Id: "b1"})),
	} {
		wantCode(t, what, err, codes.PermissionDenied)
	}
	r.commandsNothing(dir)
}

// findsNoKey looks for keys in all files of the directory.
func (r *rig) findsNoKey(dir string) {
	t := r.t
	t.Helper()
	if _, err := pki.LoadOpen(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the CA's key is open: %v", err)
	}
	if _, err := pki.LoadSealed(dir, pki.Seal{}); !errors.Is(err, pki.ErrSealed) {
		t.Errorf("the CA's key opens with a guess: %v", err)
	}
	if _, err := keystore.Open(filepath.Join(dir, keysName), otherSecret(t)); !errors.Is(err, keystore.ErrWrongSecret) {
		t.Errorf("the Destination's keys open with a guess: %v", err)
	}
	looked := 0
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		content, err := os.ReadFile(path)
		for _, form := range forms(r.keys.Signing) {
			if bytes.Contains(content, []byte(form)) {
				t.Errorf("the signing key is in %s", path)
			}
		}
		looked++
		return err
	})
	if err != nil || looked < 5 {
		t.Fatalf("looked at %d files: %v", looked, err)
	}
}

// commandsNothing gives a command as the program does, with the balancer of the directory
// running without its passphrase, and not running.
func (r *rig) commandsNothing(dir string) {
	t := r.t
	t.Helper()
	client := r.clientOf(dir)
	if _, err := client.Commander(t.Context()); !errors.Is(err, ErrNotRunning) {
		t.Errorf("with no balancer running: %v", err)
	}
	stolen, err := Start(Config{Dir: dir, Listener: listen(t), Preset: r.preset, Logger: r.logger})
	if err != nil {
		t.Fatal(err)
	}
	defer stolen.Kill()
	if _, err := client.Commander(t.Context()); !errors.Is(err, ErrRefused) || errors.Is(err, ErrNotRunning) {
		t.Errorf("with a locked balancer running: %v", err)
	}
}

// Who speaks raft with a stolen key can become its leader, and write what it likes into
// the state. An invitation that is written so lets nobody in.
func TestWrittenInvitation(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.form(1)
	leader := r.awaitLeader()
	secret := bytes.Repeat([]byte{7}, 32)
	for _, role := range []string{"balancer", "operator", "backend"} {
		invite := ledger.Invite{ID: "evil-" + role, SecretDigest: sha256.Sum256(secret), Role: role, Name: "eve",
			Expires: uint32(time.Now().Add(time.Hour).Unix())}
		if _, err := leader.store.Apply(t.Context(), ledger.PutInvite(invite, time.Now())); err != nil {
			t.Fatal(err)
		}
		_, err := r.ask(r.invite(role, "eve"), func(j *clusterpb.JoinRequest) { j.Version, j.Invite, j.Secret = 1, invite.ID, secret })
		wantCode(t, role, err, codes.PermissionDenied, "not known")
		_, err = r.ask(r.invite(role, "eve"), func(j *clusterpb.JoinRequest) {
			mac := hmac.New(sha256.New, secret)
			mac.Write(j.GetRequest())
			j.Invite, j.Secret = invite.ID, mac.Sum(nil)
		})
		wantCode(t, role+" by a proof", err, codes.PermissionDenied, "not known")
	}
}

// A guest's invitation is for a guest, though the state calls it a backend's.
func TestGuestInvitation(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.form(1)
	token := r.invite("guest", "sam-1")
	if got := r.awaitLeader().store.State().Invites[token.Invite].Role; got != ledger.RoleBackend {
		t.Errorf("the state has an invitation for %q", got)
	}
	token.Node.Role = pki.Backend // as a guest would have it
	if reply, err := r.ask(token, nil); err != nil || !bytes.Contains(reply.GetCertificates(), []byte("CERTIFICATE")) {
		t.Fatal(err)
	} else if got := identityIn(t, reply.GetCertificates()); got.Role != pki.Guest || got.Name != "sam-1" {
		t.Errorf("the certificate is of %v", got)
	}
	dir := r.join("guest", "sam-2")
	if err := r.renew(dir); err != nil {
		t.Errorf("it renews: %v", err)
	}
	r.remove(clusterpb.ChangeRequest_KIND_REMOVE_GUEST, "sam-2", false)
	wantCode(t, "it renews when it was removed", r.renew(dir), codes.PermissionDenied, `guest "sam-2" was removed`)
	if err := r.renew(r.join("backend", "sam-2")); err != nil {
		t.Errorf("a backend of that name: %v", err)
	}
}

// identityIn is who the first certificate is of.
func identityIn(t *testing.T, certificates []byte) pki.Identity {
	t.Helper()
	block, _ := pem.Decode(certificates)
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	id, err := pki.IdentityOf(cert)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// restartLocked starts the first balancer again, without what opens its keys.
func (r *rig) restartLocked() *Node {
	r.t.Helper()
	first := r.nodes[0]
	first.Kill()
	again, err := Start(Config{Dir: r.nodeDir(0), Listen: first.Address(), Preset: r.preset, Logger: r.logger})
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(again.Kill)
	r.nodes[0] = again
	return again
}

// A locked balancer lets nobody in, says what to do, and spends no token meanwhile.
func TestLockedLetsNobodyIn(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.secret = nil
	r.form(1)
	operator, token := r.join("operator", "op"), r.invite("frontend", "f1")
	again := r.restartLocked()
	r.lockedLeader()
	conn, err := r.clientOf(operator).To(again.Address())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_, err = conn.Invite(t.Context(), &clusterpb.InviteRequest{Role: "frontend", Name: "f2"})
	wantCode(t, "an invitation", err, codes.FailedPrecondition, "locked", "onelease cluster unlock")
	_, err = conn.Renew(t.Context(), &clusterpb.RenewRequest{})
	wantCode(t, "a renewal", err, codes.FailedPrecondition, "locked")
	join := JoinConfig{Dir: filepath.Join(t.TempDir(), "f1"), Token: token}
	if err := Join(t.Context(), join); err == nil {
		t.Error("it lets in")
	}
	if err := r.unlock(again, r.keys.Bytes()); err != nil {
		t.Fatal(err)
	}
	r.awaitLeader()
	if err := Join(t.Context(), join); err != nil {
		t.Errorf("the same token after Unlock: %v", err)
	}
}

// openKey makes of a directory what an earlier version has written.
func (r *rig) openKey(dir string) {
	r.t.Helper()
	path := filepath.Join(dir, "ca.key.sealed")
	sealed, _ := os.ReadFile(path)
	cert, err := os.ReadFile(filepath.Join(dir, "ca.crt"))
	if err != nil {
		r.t.Fatal(err)
	}
	seal, err := sealOf(r.keys)
	if err != nil {
		r.t.Fatal(err)
	}
	key, _ := pem.Decode(sealed)
	ca, _ := pem.Decode(cert)
	block, _ := aes.NewCipher(seal[:])
	gcm, _ := cipher.NewGCM(block)
	der, err := gcm.Open(nil, key.Bytes[:12], key.Bytes[12:], ca.Bytes)
	if err != nil {
		r.t.Fatal(err)
	}
	open := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	if err := errors.Join(os.WriteFile(filepath.Join(dir, "ca.key"), open, 0o600), os.Remove(path)); err != nil {
		r.t.Fatal(err)
	}
}

// The directory of an earlier version goes on, gives commands while that version runs,
// and is sealed as soon as the balancer has the Destination's keys.
func TestOpenKeyIsSealed(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.form(1)
	earlier := copyDir(t, r.nodeDir(0))
	r.openKey(earlier)
	commander, err := r.clientOf(earlier).Commander(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	leader, err := commander.AwaitLeader(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer leader.Close()
	if _, err := leader.Invite(t.Context(), &clusterpb.InviteRequest{Role: "frontend", Name: "f1"}); err != nil {
		t.Errorf("a command: %v", err)
	}
	r.nodes[0].Kill()
	r.openKey(r.nodeDir(0))
	locked, err := Start(Config{Dir: r.nodeDir(0), Listen: r.nodes[0].Address(), Logger: r.logger})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := locked.authority(); err != nil || !pki.HasOpen(r.nodeDir(0)) {
		t.Errorf("locked: %v, ca.key is there: %v", err, pki.HasOpen(r.nodeDir(0)))
	}
	locked.Kill()
	ln, err := net.Listen("tcp", r.nodes[0].Address())
	if err != nil {
		t.Fatal(err)
	}
	r.start(0, ln)
	r.join("frontend", "f2")
	if pki.HasOpen(r.nodeDir(0)) || !pki.HasSealed(r.nodeDir(0)) {
		t.Error("the key is not sealed, or the open one is there")
	}
}

// An open key that is put back while the balancer runs locked is sealed by Unlock as one
// that was there at the start is.
func TestOpenKeyThatIsPutBack(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.secret = nil
	r.form(1)
	earlier := copyDir(t, r.nodeDir(0))
	r.openKey(earlier)
	again := r.restartLocked()
	key, err := os.ReadFile(filepath.Join(earlier, "ca.key"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(r.nodeDir(0), "ca.key"), key, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := again.Unlock(r.keys); err != nil {
		t.Fatal(err)
	}
	if _, err := again.authority(); err != nil || pki.HasOpen(r.nodeDir(0)) {
		t.Errorf("unlocked: %v, ca.key is there: %v", err, pki.HasOpen(r.nodeDir(0)))
	}
}
