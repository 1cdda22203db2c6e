package cluster

import (
	"net"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/onelease/onelease/internal/nodedir"
	"github.com/onelease/onelease/internal/pki"
)

// TestUpkeep: a frontend's certificate is renewed when it is time, and the
// balancers that have come since it joined are noted.
func TestUpkeep(t *testing.T) {
	r := newRig(t)
	r.form(1)
	dir := filepath.Join(r.dir, "router-1")
	if err := Join(t.Context(), JoinConfig{Dir: dir, Token: r.invite("frontend", "router-1")}); err != nil {
		t.Fatal(err)
	}
	r.add(1)
	old := shorten(t, r.nodes[0].ca.Load(), dir)
	client, err := NewClient(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := client.Upkeep(t.Context()); err != nil {
		t.Fatal(err)
	}
	c := client.Credentials().Credentials()
	if left := time.Until(c.Expires()); left < pki.DefaultLife-time.Hour || c.Identity() != old.Identity() {
		t.Errorf("%v is good for %v", c.Identity(), left)
	}
	info, err := nodedir.Read(dir)
	if want := []string{r.nodes[0].Address(), r.nodes[1].Address()}; err != nil || !slices.Equal(info.Balancers, want) {
		t.Errorf("balancers %v, error %v, want %v", info.Balancers, err, want)
	}
	before := c
	if err := client.Upkeep(t.Context()); err != nil || client.Credentials().Credentials() != before {
		t.Errorf("renewed though it is new, error %v", err)
	}
}

// A balancer renews its own certificate, once it is unlocked; nobody else would.
func TestBalancerRenewsItself(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.form(1)
	first := r.nodes[0]
	first.Kill()
	shorten(t, first.ca.Load(), r.nodeDir(0))
	ln, err := net.Listen("tcp", first.Address())
	if err != nil {
		t.Fatal(err)
	}
	again := r.start(0, ln)
	r.until("a new certificate", func() bool {
		return time.Until(again.creds.Credentials().Expires()) > pki.DefaultLife-time.Hour
	})
	if c, err := pki.Load(r.nodeDir(0)); err != nil || time.Until(c.Expires()) < pki.DefaultLife-time.Hour {
		t.Errorf("on the disk: %v", err)
	}
}

// shorten gives the node in dir a certificate that is over in an hour.
func shorten(t *testing.T, ca *pki.CA, dir string) *pki.Credentials {
	t.Helper()
	c, err := pki.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := ca.Issue(c.Identity(), c.Key().Public(), time.Hour, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	short, err := pki.NewCredentials(c.Key(), cert, ca.CertPEM())
	if err == nil {
		err = short.Replace(dir)
	}
	if err != nil {
		t.Fatal(err)
	}
	return short
}
