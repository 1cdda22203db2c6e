package main

import (
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/internal/daemon"
	"github.com/onelease/onelease/internal/doctor"
	"github.com/onelease/onelease/internal/samd"
	"github.com/onelease/onelease/test/embedded"
)

// A setup that is well, over TCP, and then one in which the operator has made mistakes.
func TestDoctor(t *testing.T) {
	t.Parallel()
	network := embedded.Start(embedded.Config{})
	defer network.Close()
	serve := func(name string) string {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { ln.Close() })
		go network.Router(name).ServeI2CP(ln)
		return ln.Addr().String()
	}
	member := "--router=a=" + serve("member-1") + ",member,inverted"
	keys := filepath.Join(t.TempDir(), "site.dat")
	made, err := i2p.GenerateKeys()
	if err == nil {
		err = i2p.WriteKeyFile(keys, made, i2p.KeyBinary)
	}
	if err != nil {
		t.Fatal(err)
	}
	well := try(t, "", "doctor", "--quick", "--json", "--keys", keys, member,
		"--router=b="+serve("member-2")+",member,inverted", "--router=c="+serve("publisher")+",publisher,inverted")
	var report doctor.Report
	if err := json.Unmarshal([]byte(well.out), &report); err != nil || well.code != 0 || report.Failed > 0 || len(report.Results) < 15 {
		t.Errorf("exit code %d, %v, %s: %s", well.code, err, well.said, well.out)
	}
	checkMistakes(t, network, keys, member)
}

func checkMistakes(t *testing.T, network *embedded.Network, keys, member string) {
	t.Helper()
	if err := os.Chmod(keys, 0o644); err != nil {
		t.Fatal(err)
	}
	bad := try(t, "", "doctor", "--quick", "--keys", keys, member,
		"--router=b="+closedPort(t)+",member", "--router=c="+samPort(t, network)+",member")
	for _, want := range []string{
		"fail  files " + keys + ": its mode is 0644\n      -> chmod 600",
		"fail  roles: no router is a publisher\n      -> Give one the role publisher",
		"ok    router a: I2CP at ",
		"connection refused\n      -> Start the router, enable I2CP",
		"fail  router c: ", "-> Give the router's I2CP port, not its SAM port",
		"?     session b: not checked: the router does not answer",
	} {
		if !strings.Contains(bad.out, want) {
			t.Errorf("does not say %q:\n%s", want, bad.out)
		}
	}
	if bad.code != exitFailed || !strings.Contains(bad.said, "checks failed") {
		t.Errorf("exit code %d, says %q", bad.code, bad.said)
	}
}

// closedPort is one where nobody listens.
func closedPort(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().String()
}

// samPort is that of a SAM bridge.
func samPort(t *testing.T, network *embedded.Network) string {
	t.Helper()
	bridge, err := samd.New(samd.Config{Embedded: network.Routers(), Listen: []string{"127.0.0.1:0"}, UDP: samd.NoUDP})
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- bridge.Run(t.Context()) }()
	t.Cleanup(func() { <-ended })
	return bridge.Addrs()[0]
}

// What a role's file has is checked as well; what is wrong in it is wrong use.
func TestDoctorConfig(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"frontend-1.toml": "dir = \"r1\"\nrouter = \"" + closedPort(t) + "\"\nrouter-user = \"u\"\nrouter-password-file = \"users\"\n",
		"backend.toml":    "keys = \"users\"\n",
		"balancer.toml":   "dir = \"b1\"\npassphrase-file = \"users\"\n",
		"sam.toml":        "listen = [\"0.0.0.0:7656\"]\nallow-plain = true\nusers = \"users\"\n[[router]]\nname = \"a\"\naddress = \"" + closedPort(t) + "\"\n",
		"wrong.toml":      "lisen = []\n",
		"users":           "",
	} {
		write(t, filepath.Join(dir, name), text)
		if err := os.Chmod(filepath.Join(dir, name), 0o640); err != nil { // whatever the umask
			t.Fatal(err)
		}
	}
	open := "fail  files " + filepath.Join(dir, "users") + ": its mode is 0640"
	for name, want := range map[string][]string{
		"sam.toml":        {"warn  ports 0.0.0.0:7656", open, "fail  router a"},
		"frontend-1.toml": {"fail  router r1", "fail  node " + filepath.Join(dir, "r1"), open},
		"backend.toml":    {"fail  keys " + filepath.Join(dir, "users"), open},
		"balancer.toml":   {"fail  node " + filepath.Join(dir, "b1"), open},
	} {
		r := inside(t.Context(), "", "doctor", "--quick", "--config", filepath.Join(dir, name))
		for _, words := range want {
			if r.code != exitFailed || !strings.Contains(r.out, words) {
				t.Errorf("%s: exit code %d, does not say %q:\n%s", name, r.code, words, r.out)
			}
		}
	}
	if r := try(t, "", "doctor", "--config", filepath.Join(dir, "wrong.toml")); r.code != exitUsage || !strings.Contains(r.said, `did you mean "listen"?`) {
		t.Errorf("exit code %d, says %q", r.code, r.said)
	}
}

// A site is asked at the control socket that its file names.
func TestDoctorControl(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	control, err := daemon.OpenControl(filepath.Join(dir, "c"))
	if err != nil {
		t.Fatal(err)
	}
	defer control.Serve(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, `{"frontends": [{"name": "a", "router_up": false, "router_error": "it is away"}]}`)
	}), slog.New(slog.DiscardHandler))()
	write(t, filepath.Join(dir, "up.toml"), "dir = \".\"\ncontrol = \"c\"\n[[router]]\nname = \"a\"\naddress = \""+closedPort(t)+"\"\n")
	r := inside(t.Context(), "", "doctor", "--quick", "--running", "--config", filepath.Join(dir, "up.toml"))
	if want := "warn  cluster a: it is away"; !strings.Contains(r.out, want) {
		t.Errorf("does not say %q:\n%s%s", want, r.out, r.said)
	}
}

// wantDoctor has a running cluster be found well, by a balancer's directory and by a
// backend's, down to the leases in the netDB.
func (d *deployment) wantDoctor(nodes ...string) {
	d.t.Helper()
	hash, err := i2p.ParseBase32(d.b32)
	if err != nil {
		d.t.Fatal(err)
	}
	for _, node := range nodes {
		wantDoctor(d.t, d.network, hash, []string{"node", "certificate"}, "--dir", d.of(node), "--router", "member-1="+d.i2cp+",member")
	}
}

// wantDoctor has a site that runs found well, by its directory, down to the leases in the
// netDB.
func (w *upWorld) wantDoctor(b32 string) {
	w.t.Helper()
	hash, err := i2p.ParseBase32(b32)
	if err != nil {
		w.t.Fatal(err)
	}
	wantDoctor(w.t, w.network, hash, []string{"keys", "roles"}, append([]string{"--dir", w.dir}, w.routers...)...)
}

// wantDoctor has a setup that runs found well, and these checks made besides those of all.
func wantDoctor(t *testing.T, network *embedded.Network, hash i2p.Hash, checks []string, args ...string) {
	t.Helper()
	raw, _ := network.Lookup(hash)
	args = append([]string{"doctor", "--json", "--running", "--quick", "--console", console(t, 200, consolePage(t, raw))}, args...)
	var report doctor.Report
	r := inside(t.Context(), "", args...)
	if err := json.Unmarshal([]byte(r.out), &report); err != nil {
		t.Fatal(err, r.said)
	}
	seen := map[string]doctor.State{}
	for _, one := range report.Results {
		if one.State == doctor.Fail {
			t.Errorf("%+v", one)
		}
		seen[one.Check] = one.State
	}
	for _, check := range append(checks, "cluster", "leases", "netdb", "router") {
		if seen[check] != doctor.OK {
			t.Errorf("%s is %q in %s", check, seen[check], r.out)
		}
	}
}
