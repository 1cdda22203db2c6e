package main

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/simnet"
	"github.com/onelease/onelease/test/embedded"
)

// routerOn is a router of a network of its own, whose address book has zzz.i2p, by its
// I2CP on the loopback.
func routerOn(t *testing.T, profile simnet.Profile) (addr string, network *embedded.Network) {
	t.Helper()
	network = embedded.Start(embedded.Config{Names: []string{"zzz.i2p"}, Profile: profile})
	t.Cleanup(network.Close)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	go network.Router("member-1").ServeI2CP(ln)
	return ln.Addr().String(), network
}

// lookUp runs the command until somebody finds it: a site's LeaseSet takes a second.
func lookUp(t *testing.T, args ...string) (v lookupView) {
	t.Helper()
	until(t, "found: "+strings.Join(args, " "), func() bool {
		r := inside(t.Context(), "", append([]string{"lookup", "--json", "--timeout", "10s"}, args...)...)
		v = decode[lookupView](t, r.out)
		return r.code == 0
	})
	return v
}

// TestLookup asks an i2pd, which does not tell options, and a Java router, which does;
// and one that is not there. The Destination is found by each of its names.
func TestLookup(t *testing.T) {
	t.Parallel()
	i2pd, network := routerOn(t, simnet.I2PD258)
	java, _ := routerOn(t, simnet.JavaI2P)
	hash, _ := network.Resolve("zzz.i2p")
	gone := freeAddr(t)
	v := lookUp(t, "zzz.i2p", "--router", i2pd, "--router", gone)
	if v.Address != hash.Base32() || v.Routers[0].Result != resultFound || v.Routers[0].Options != nil || v.Routers[1].Result != resultFailed {
		t.Errorf("%+v", v)
	}
	if dest, err := i2p.ParseDestinationBase64(v.Destination); err != nil || dest.Hash() != hash {
		t.Error(err)
	}
	for _, name := range []string{hash.Base32(), strings.ToUpper(strings.TrimSuffix(hash.Base32(), ".b32.i2p")), v.Destination} {
		if again := lookUp(t, name, "--router", i2pd); again.Destination != v.Destination || again.Name != hash.Base32() {
			t.Errorf("by %.60s: %+v", name, again)
		}
	}
	if v := lookUp(t, "zzz.i2p", "--router", java); v.Routers[0].Options == nil || v.Address == "" {
		t.Errorf("%+v", v)
	}
	r := inside(t.Context(), "", "lookup", "zzz.i2p", "--router", i2pd, "--router", gone)
	for _, want := range []string{hash.Base32() + ", EdDSA", i2pd, "not told", gone + ": router cannot be reached"} {
		if !strings.Contains(r.out, want) {
			t.Errorf("%q is not in %s", want, r.out)
		}
	}
}

func TestLookupNothing(t *testing.T) {
	t.Parallel()
	i2pd, _ := routerOn(t, simnet.I2PD258)
	for _, name := range []string{"nobody.i2p", goldenB32} {
		r := inside(t.Context(), "", "lookup", name, "--router", i2pd, "--router", freeAddr(t), "--timeout", "10s", "--json")
		if v := decode[lookupView](t, r.out); r.code != exitFailed || v.Routers[0].Result != resultNotFound || !strings.Contains(r.said, "not published") {
			t.Errorf("%s: %+v", name, r)
		}
	}
	if r := inside(t.Context(), "", "lookup", goldenB32, "--router", freeAddr(t)); r.code != exitFailed || !strings.Contains(r.said, "[i2cp]") {
		t.Errorf("%+v", r)
	}
}

// console serves a floodfill's page.
func console(t *testing.T, status int, page string) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		fmt.Fprint(w, page)
	}))
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://")
}

// TestLookupInConsole reads the page that a real floodfill showed.
func TestLookupInConsole(t *testing.T) {
	page, err := os.ReadFile("../../internal/webconsole/testdata/leasesets-2.45.1.html")
	if err != nil {
		t.Fatal(err)
	}
	const b32 = "bwk74xv3r4pngumhsyhl7cee55lvq3chvju6qypmd5zydmffgvqa.b32.i2p"
	consoles := []string{
		console(t, 200, string(page)), console(t, 200, "<b>LeaseSets:</b> 0<br>"), console(t, 200, "<b>LeaseSets:</b> not floodfill.<br>"), console(t, 401, ""),
	}
	args := []string{"lookup", b32, "--router", freeAddr(t)}
	for _, addr := range consoles {
		args = append(args, "--console", addr)
	}
	r := inside(t.Context(), "", args...)
	for _, want := range []string{"LeaseSet2 of 1 lease, ended", "oM2ZmraKspSInp~gozS51j7zpV22N0fZQ0DmmKtwCTQ=", "421657795", "it holds none", "no floodfill", "strictheaders"} {
		if r.code != 0 || !strings.Contains(r.out, want) {
			t.Errorf("%q is not in %+v", want, r)
		}
	}
	v := decode[lookupView](t, inside(t.Context(), "", append(args, "--json")...).out)
	if ls := v.Floodfills[0].LeaseSet; ls == nil || !ls.Valid || len(ls.Leases) != 1 || ls.Leases[0].Tunnel != 421657795 || v.Cluster != nil {
		t.Fatalf("%+v", v)
	}
	ours := &ourTunnels{address: b32, of: map[tunnel]string{v.tunnels(t)[0]: "router-1"}}
	check := func(of *ourTunnels, frontend, want string) {
		t.Helper()
		v := v
		v.Floodfills = slices.Clone(v.Floodfills)
		lease := &v.Floodfills[0].LeaseSet.Leases[0]
		lease.tunnel = v.tunnels(t)[0]
		v.compare(of)
		if got := v.Cluster.describe(); lease.Frontend != frontend || !strings.Contains(got, want) {
			t.Errorf("%s: %s", lease.Frontend, got)
		}
	}
	check(ours, "router-1", "this is its Destination")
	check(&ourTunnels{address: b32}, "", "1 lease in the netDB of none of its frontends")
	check(&ourTunnels{address: goldenB32}, "", "another Destination, "+goldenB32)
}

// tunnels are those of the first floodfill's LeaseSet.
func (v lookupView) tunnels(t *testing.T) (all []tunnel) {
	t.Helper()
	for _, l := range v.Floodfills[0].LeaseSet.Leases {
		b, err := i2p.Base64.DecodeString(l.Gateway)
		if err != nil || len(b) != i2p.HashSize {
			t.Fatal(l.Gateway, err)
		}
		all = append(all, tunnel{i2p.Hash(b), l.Tunnel})
	}
	return all
}

// wantLookup has the site found, and its leases in the netDB known as its frontend's.
func (d *deployment) wantLookup() {
	d.t.Helper()
	hash, err := i2p.ParseBase32(d.b32)
	if err != nil {
		d.t.Fatal(err)
	}
	until(d.t, "all leases in the netDB are a frontend's", func() bool {
		raw, _ := d.network.Lookup(hash)
		addr := console(d.t, 200, consolePage(d.t, raw))
		v := lookUp(d.t, append(d.access("b1"), d.b32, "--router", d.i2cp, "--console", addr)...)
		if ls := v.Floodfills[0].LeaseSet; !v.Cluster.Ours || ls == nil || len(ls.Leases) == 0 || v.Cluster.Strange > 0 {
			return false
		}
		return v.Floodfills[0].LeaseSet.Leases[0].Frontend == "member-1"
	})
}

// consolePage is how a floodfill's webconsole shows a LeaseSet.
func consolePage(t *testing.T, raw []byte) string {
	t.Helper()
	ls, _, err := i2p.ParseLeaseSet2(raw)
	if err != nil {
		t.Fatal(err)
	}
	const layout = "02/01/2006 15:04:05.000"
	var page strings.Builder
	b32 := strings.TrimSuffix(ls.Destination.Base32(), ".b32.i2p")
	fmt.Fprintf(&page, "<b>LeaseSets:</b><br>\n<div class=\"leaseset listitem\">\n<label for=\"slide1\">%s</label>\n<b>Store type:</b> 3<br>\n<b>Expires:</b> %s<br>\n<b>Non Expired Leases: %d</b><br>\n",
		b32, ls.Expires.Local().Format(layout), len(ls.Leases))
	for _, l := range ls.Leases {
		fmt.Fprintf(&page, "<b>Gateway:</b> %s<br>\n<b>TunnelID:</b> %d<br>\n<b>EndDate:</b> %s<br>\n", i2p.Base64.EncodeToString(l.Gateway[:]), l.Tunnel, l.End.Local().Format(layout))
	}
	return page.String()
}

// TestLookupOutcome: what is only in the netDB is found too.
func TestLookupOutcome(t *testing.T) {
	v := lookupView{Name: "x", Routers: []routerFound{{Result: resultNoLeaseSet}}, Floodfills: []floodfillFound{{}}}
	if err := v.outcome(t.Context()); err == nil {
		t.Error("found without a LeaseSet")
	}
	v.Floodfills[0].LeaseSet = &storedView{}
	if err := v.outcome(t.Context()); err != nil {
		t.Error(err)
	}
	if got := (routerFound{Result: resultNoLeaseSet, Address: "b"}).describe("a"); got != "known, but the netDB has no LeaseSet, as another: b" {
		t.Error(got)
	}
	options := i2p.Mapping{"b": "\x1b[2J", "a": "1"}
	if got := describeOptions(routerFound{Result: resultFound, Options: options}); got != `"a=1" "b=\x1b[2J"` {
		t.Error(got)
	}
	if got := ends(time.Unix(0, 0), time.Unix(60, 0)); got != "ended 60 s ago" {
		t.Error(got)
	}
}

func TestLookupBadInput(t *testing.T) {
	for args, want := range map[string][]string{
		"abc":                                {"52 characters"},
		"example.com":                        {"ends in .i2p"},
		"AAAA" + strings.Repeat("!", 400):    {"not I2P base64"},
		strings.Repeat("a", 56) + ".b32.i2p": {"encrypted LeaseSet"},
		"zzz.i2p --router 7654":              {`--router "7654"`, "host:port"},
		"zzz.i2p --router 192.0.2.1:7654":    {"--router 192.0.2.1:7654", "in the clear", "ssh -L"},
		"zzz.i2p --console router:7070":      {"--console router:7070", "in the clear"},
		"zzz.i2p --timeout 0s":               {"--timeout 0s", "more than 0s"},
		"zzz.i2p zzz.i2p":                    {"one Destination is wanted"},
	} {
		r := inside(t.Context(), "", append([]string{"lookup"}, strings.Fields(args)...)...)
		for _, w := range want {
			if r.code != exitUsage || r.out != "" || !strings.Contains(r.said, w) {
				t.Errorf("%.60s: %q is not in %+v", args, w, r)
			}
		}
	}
	if r := inside(t.Context(), "", "lookup", "zzz.i2p", "--dir", t.TempDir()); r.code != exitFailed || !strings.Contains(r.said, "not the directory of a node") {
		t.Errorf("%+v", r)
	}
}
