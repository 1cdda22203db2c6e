package pki

import (
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestBothSidesKnowEachOther(t *testing.T) {
	ca := newTestCA(t)
	b, f := node(t, ca, Balancer, "b1"), node(t, ca, Frontend, "f1")
	server, client := meet(t, ServerTLS(Static(b), "h2"), ClientTLS(Static(f), "", "b1", "h2"))
	if server.err != nil || client.err != nil {
		t.Fatal(server.err, client.err)
	}
	if id, ok := PeerIdentity(server.ConnectionState()); !ok || id != f.Identity() {
		t.Errorf("the server sees %v, %v", id, ok)
	}
	if id, ok := PeerIdentity(client.ConnectionState()); !ok || id != b.Identity() {
		t.Errorf("the client sees %v, %v", id, ok)
	}
	if state := client.ConnectionState(); state.NegotiatedProtocol != "h2" || state.Version != tls.VersionTLS13 {
		t.Errorf("protocol %q, TLS version %x", state.NegotiatedProtocol, state.Version)
	}
	talk(t, server, client)
}

func TestClientRefusesServer(t *testing.T) {
	ca, other := newTestCA(t), newTestCA(t)
	sameCluster := newTestCAOf(t, ca.Cluster())
	me := Static(node(t, ca, Frontend, "f1"))
	for name, c := range map[string]struct {
		server *Credentials
		role   Role
		name   string
		want   error
	}{
		"wrong CA":                     {node(t, sameCluster, Balancer, "b1"), "", "", ErrUntrusted},
		"another cluster":              {node(t, other, Balancer, "b1"), "", "", ErrCluster},
		"frontend instead of balancer": {node(t, ca, Frontend, "b1"), "", "b1", ErrRole},
		"balancer instead of backend":  {node(t, ca, Balancer, "b1"), Backend, "", ErrRole},
		"another name":                 {node(t, ca, Balancer, "b2"), "", "b1", ErrName},
		"expired":                      {nodeFrom(t, ca, Balancer, "b1", time.Now().Add(-2*DefaultLife)), "", "", ErrExpired},
		"not valid yet":                {nodeFrom(t, ca, Balancer, "b1", time.Now().Add(time.Hour)), "", "", ErrNotYetValid},
	} {
		_, client := meet(t, blunt(c.server), ClientTLS(me, c.role, c.name))
		if !errors.Is(client.err, c.want) {
			t.Errorf("%s: %v, want %v", name, client.err, c.want)
		}
	}
}

func TestServerRefusesClient(t *testing.T) {
	ca, other := newTestCA(t), newTestCA(t)
	sameCluster := newTestCAOf(t, ca.Cluster())
	me := Static(node(t, ca, Balancer, "b1"))
	for name, c := range map[string]struct {
		client *Credentials
		want   error
	}{
		"wrong CA":        {node(t, sameCluster, Frontend, "f1"), ErrUntrusted},
		"another cluster": {node(t, other, Frontend, "f1"), ErrCluster},
		"expired":         {nodeFrom(t, ca, Frontend, "f1", time.Now().Add(-2*DefaultLife)), ErrExpired},
		"not valid yet":   {nodeFrom(t, ca, Frontend, "f1", time.Now().Add(time.Hour)), ErrNotYetValid},
	} {
		for kind, config := range map[string]*tls.Config{
			"ServerTLS": ServerTLS(me), "MutualTLS": MutualTLS(me, []Role{Frontend}),
		} {
			server, _ := meet(t, config, blunt(c.client))
			if !errors.Is(server.err, c.want) {
				t.Errorf("%s, %s: %v, want %v", kind, name, server.err, c.want)
			}
			if id, ok := PeerIdentity(server.ConnectionState()); ok {
				t.Errorf("%s, %s: is %v all the same", kind, name, id)
			}
		}
	}
}

// A certificate from the right CA is still refused if it says the wrong things.
func TestRefusedThoughSignedByTheCA(t *testing.T) {
	ca, key := newTestCA(t), newTestKey(t)
	id := Identity{ca.Cluster(), Frontend, "f1"}
	me := Static(node(t, ca, Balancer, "b1"))
	for name, c := range map[string]struct {
		change func(*x509.Certificate)
		want   error
	}{
		"as issued":    {func(*x509.Certificate) {}, nil},
		"no URI":       {func(c *x509.Certificate) { c.URIs = nil }, ErrNoIdentity},
		"two URIs":     {func(c *x509.Certificate) { c.URIs = append(c.URIs, c.URIs[0]) }, ErrNoIdentity},
		"other scheme": {func(c *x509.Certificate) { c.URIs = []*url.URL{{Scheme: "spiffe", Host: "x"}} }, ErrNoIdentity},
		"server only":  {func(c *x509.Certificate) { c.ExtKeyUsage = usages[:1] }, ErrUntrusted},
		"client only":  {func(c *x509.Certificate) { c.ExtKeyUsage = usages[1:] }, ErrUntrusted},
	} {
		template := leafTemplate(id, time.Now())
		template.NotAfter = time.Now().Add(time.Hour)
		c.change(template)
		der, err := x509.CreateCertificate(rand.Reader, template, ca.cert, key.Public(), ca.key())
		if err != nil {
			t.Fatal(err)
		}
		server, _ := meet(t, ServerTLS(me), &tls.Config{
			InsecureSkipVerify: true, Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}},
		})
		if !errors.Is(server.err, c.want) {
			t.Errorf("%s: %v, want %v", name, server.err, c.want)
		}
	}
}

// A node is no CA, whatever chain it sends.
func TestNodeCannotIssue(t *testing.T) {
	ca := newTestCA(t)
	f, key := node(t, ca, Frontend, "f1"), newTestKey(t)
	template := leafTemplate(Identity{ca.Cluster(), Balancer, "b9"}, time.Now())
	template.NotAfter = time.Now().Add(time.Hour)
	der, err := x509.CreateCertificate(rand.Reader, template, f.leaf, key.Public(), f.key())
	if err != nil {
		t.Fatal(err)
	}
	server, _ := meet(t, ServerTLS(Static(node(t, ca, Balancer, "b1"))), &tls.Config{
		InsecureSkipVerify: true,
		Certificates: []tls.Certificate{{
			Certificate: [][]byte{der, f.leaf.Raw, ca.cert.Raw}, PrivateKey: key,
		}},
	})
	if !errors.Is(server.err, ErrUntrusted) {
		t.Errorf("%v, want ErrUntrusted", server.err)
	}
}

func TestClientWithoutCertificate(t *testing.T) {
	ca := newTestCA(t)
	b := Static(node(t, ca, Balancer, "b1"))
	bare := &tls.Config{InsecureSkipVerify: true}
	server, client := meet(t, ServerTLS(b), bare)
	if server.err != nil || client.err != nil {
		t.Fatal(server.err, client.err)
	}
	if id, ok := PeerIdentity(server.ConnectionState()); ok {
		t.Errorf("it is %v", id)
	}
	if server, _ := meet(t, MutualTLS(b, []Role{Balancer}), bare); !errors.Is(server.err, ErrNoCertificate) {
		t.Errorf("MutualTLS: %v, want ErrNoCertificate", server.err)
	}
}

func TestMutualTLSTakesItsRolesOnly(t *testing.T) {
	ca := newTestCA(t)
	me := Static(node(t, ca, Balancer, "b1"))
	for _, c := range []struct {
		roles []Role
		role  Role
		want  error
	}{
		{[]Role{Balancer}, Balancer, nil},
		{[]Role{Balancer}, Frontend, ErrRole},
		{[]Role{Balancer, Operator}, Operator, nil},
		{nil, Balancer, ErrRole},
	} {
		server, _ := meet(t, MutualTLS(me, c.roles), ClientTLS(Static(node(t, ca, c.role, "x")), "", ""))
		if !errors.Is(server.err, c.want) {
			t.Errorf("%s where %v may: %v, want %v", c.role, c.roles, server.err, c.want)
		}
	}
}

func TestTLS12IsRefused(t *testing.T) {
	ca := newTestCA(t)
	b := Static(node(t, ca, Balancer, "b1"))
	old := ClientTLS(b, "", "")
	old.MinVersion, old.MaxVersion = tls.VersionTLS12, tls.VersionTLS12
	if server, _ := meet(t, ServerTLS(b), old); server.err == nil {
		t.Error("the server takes TLS 1.2")
	}
	old = ServerTLS(b)
	old.MinVersion, old.MaxVersion = tls.VersionTLS12, tls.VersionTLS12
	if _, client := meet(t, old, ClientTLS(b, "", "")); client.err == nil {
		t.Error("the client takes TLS 1.2")
	}
}

func TestExpiryIsToldWithDateAndCure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // where it is 2000-01-01
		ca := newTestCA(t)
		b, f := node(t, ca, Balancer, "b1"), node(t, ca, Frontend, "f1")
		serverConfig, clientConfig := ServerTLS(Static(b)), ClientTLS(Static(f), "", "")
		time.Sleep(DefaultLife + 2*time.Second)
		server, _ := meet(t, serverConfig, blunt(f))
		_, client := meet(t, blunt(b), clientConfig)
		_, own := meet(t, ServerTLS(Static(node(t, ca, Balancer, "b2"))), clientConfig)
		for who, err := range map[string]error{"server": server.err, "client": client.err, "of its own": own.err} {
			if !errors.Is(err, ErrExpired) || !strings.Contains(err.Error(), "expired on 2000-12-31 00:00 UTC: renew with") {
				t.Errorf("%s: %v", who, err)
			}
		}
	})
}

func TestClocksMayDifferByFiveMinutes(t *testing.T) {
	ca := newTestCA(t)
	ahead := nodeFrom(t, ca, Balancer, "b1", time.Now().Add(4*time.Minute))
	if _, client := meet(t, ServerTLS(Static(ahead)), ClientTLS(Static(node(t, ca, Frontend, "f1")), "", "")); client.err != nil {
		t.Error(client.err)
	}
}

// Tickets are off. Were they on, a resumed session would be verified as well.
func TestResumptionIsVerified(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ca := newTestCA(t)
		b, f := node(t, ca, Balancer, "b1"), node(t, ca, Frontend, "f1")
		serverConfig, clientConfig := ServerTLS(Static(b)), ClientTLS(Static(f), "", "")
		clientConfig.ClientSessionCache = tls.NewLRUClientSessionCache(8)
		clientConfig.ServerName = "b1"
		resumed := func() (end, end, bool) {
			server, client := meet(t, serverConfig, clientConfig)
			if server.err == nil && client.err == nil {
				talk(t, server, client) // reads the ticket
			}
			return server, client, client.ConnectionState().DidResume
		}
		clientConfig.SessionTicketsDisabled = false
		resumed()
		if _, _, did := resumed(); did {
			t.Error("resumed though tickets are off")
		}
		serverConfig.SessionTicketsDisabled = false
		resumed()
		server, _, did := resumed()
		if id, ok := PeerIdentity(server.ConnectionState()); !did || !ok || id != f.Identity() {
			t.Fatalf("resumed %v with %v, %v; the test needs that", did, id, ok)
		}
		stranger := Static(node(t, newTestCAOf(t, ca.Cluster()), Balancer, "b1"))
		good := serverConfig.VerifyConnection
		serverConfig.VerifyConnection = ServerTLS(stranger).VerifyConnection
		server, _, _ = resumed()
		if did := server.ConnectionState().DidResume; !did || !errors.Is(server.err, ErrUntrusted) {
			t.Errorf("server, once its CA is another: resumed %v, %v", did, server.err)
		}
		serverConfig.VerifyConnection = good
		resumed()
		clientConfig.VerifyConnection = ClientTLS(stranger, "", "").VerifyConnection
		_, client, did := resumed()
		if !did || !errors.Is(client.err, ErrUntrusted) {
			t.Errorf("client, once its CA is another: resumed %v, %v", did, client.err)
		}
	})
}
