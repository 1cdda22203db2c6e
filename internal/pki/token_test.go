package pki

import (
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"
)

var testAddresses = []string{"10.0.0.1:7650", "[2001:db8::1]:7650", "b3.example.org:7650"}

func newTestToken(t testing.TB, ca *CA) *Token {
	t.Helper()
	token, err := ca.NewToken(Identity{ca.Cluster(), Frontend, "f1"}, testAddresses, time.Now().Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// equal compares all fields, the secret too.
func equal(a, b *Token) bool {
	x, y := *a, *b
	x.secret, y.secret = nil, nil
	return reflect.DeepEqual(x, y) && a.secret() == b.secret()
}

func TestTokenRoundTrip(t *testing.T) {
	token := newTestToken(t, newTestCA(t))
	text := token.Text()
	for name, s := range map[string]string{
		"as it is": text,
		"pasted":   "  " + text + "\r\n",
		"wrapped":  text[:70] + "\n" + text[70:140] + " \n\t" + text[140:] + "\n",
	} {
		again, err := ParseToken(s)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if !equal(again, token) || again.Text() != text {
			t.Errorf("%s: changed on the way", name)
		}
	}
}

func TestTokensDiffer(t *testing.T) {
	ca := newTestCA(t)
	a, b := newTestToken(t, ca), newTestToken(t, ca)
	if a.Invite == b.Invite || a.Digest() == b.Digest() {
		t.Error("two tokens share their invite or secret")
	}
}

func TestEveryCutTokenIsCalledTruncated(t *testing.T) {
	text := newTestToken(t, newTestCA(t)).Text()
	for n := len(tokenPrefix); n < len(text); n++ {
		if got, err := ParseToken(text[:n]); !errors.Is(err, ErrTokenTruncated) || got != nil {
			t.Errorf("%d of %d characters: %v", n, len(text), err)
		}
	}
}

func TestEveryChangedCharacterIsFound(t *testing.T) {
	text := newTestToken(t, newTestCA(t)).Text()
	for i := range text {
		for _, c := range []byte{text[i] ^ 1, 'A', '_', '%', 0x80} {
			if c == text[i] {
				continue
			}
			changed := text[:i] + string(rune(c)) + text[i+1:]
			got, err := ParseToken(changed)
			if !errors.Is(err, ErrInvalid) || got != nil {
				t.Errorf("%q in place of %q at %d: %v", c, text[i], i, err)
			} else if strings.Contains(err.Error(), text[len(tokenPrefix):][:8]) {
				t.Errorf("the error quotes the token: %v", err)
			}
			if at := len(tokenPrefix) + 4; i > at && !errors.Is(err, ErrTokenChecksum) {
				t.Errorf("at %d: %v, want ErrTokenChecksum", i, err)
			}
		}
	}
}

func TestParseTokenRefuses(t *testing.T) {
	text := newTestToken(t, newTestCA(t)).Text()
	for name, c := range map[string]struct {
		text string
		want error
	}{
		"empty":         {"", ErrTokenPrefix},
		"other text":    {"AGE-SECRET-KEY-1", ErrTokenPrefix},
		"next version":  {strings.Replace(text, "-v1.", "-v2.", 1), ErrTokenPrefix},
		"without start": {text[4:], ErrTokenPrefix},
		"twice":         {text + text, ErrTokenChecksum},
		"too long":      {text + "AAAA", ErrTokenChecksum},
		"huge":          {text + strings.Repeat("A", 1<<20), ErrTokenChecksum},
		"prefix alone":  {tokenPrefix, ErrTokenTruncated},
	} {
		if got, err := ParseToken(c.text); !errors.Is(err, c.want) || !errors.Is(err, ErrInvalid) || got != nil {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

func TestNewTokenRefuses(t *testing.T) {
	ca := newTestCA(t)
	id := Identity{ca.Cluster(), Backend, "web"}
	soon := time.Now().Add(time.Hour)
	for name, c := range map[string]struct {
		id        Identity
		balancers []string
		expires   time.Time
	}{
		"no cluster":     {Identity{"", Backend, "web"}, testAddresses, soon},
		"no role":        {Identity{id.Cluster, "", "web"}, testAddresses, soon},
		"no name":        {Identity{id.Cluster, Backend, ""}, testAddresses, soon},
		"no balancers":   {id, nil, soon},
		"too many":       {id, make([]string, maxAddresses+1), soon},
		"no port":        {id, []string{"example.org"}, soon},
		"no host":        {id, []string{":7650"}, soon},
		"space":          {id, []string{"a b:7650"}, soon},
		"long address":   {id, []string{strings.Repeat("a", 255) + ":1"}, soon},
		"expiry not set": {id, testAddresses, time.Time{}},
	} {
		if got, err := ca.NewToken(c.id, c.balancers, c.expires); !errors.Is(err, ErrInvalid) || got != nil {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}

// Who can write invitations, with digests of secrets of their own, has not the CA's.
func TestOnlyTheCAMakesSecrets(t *testing.T) {
	ca := newTestCA(t)
	token := newTestToken(t, ca)
	if !ca.Redeems(token.Secret(), token.Invite, token.Node, token.Expires) {
		t.Fatal("the token's own secret is refused")
	}
	if !ca.RedeemsProof(token.Proof([]byte("mine")), []byte("mine"), token.Invite, token.Node, token.Expires) {
		t.Fatal("the token's own proof is refused")
	}
	if token.Digest() != sha256.Sum256(token.Secret()) {
		t.Error("the digest is not the SHA-256 of the secret")
	}
	guest := token.Node
	guest.Role = Guest
	for what, ok := range map[string]bool{
		"another CA of the cluster":    newTestCAOf(t, ca.Cluster()).Redeems(token.Secret(), token.Invite, token.Node, token.Expires),
		"another invite":               ca.Redeems(token.Secret(), token.Invite+"0", token.Node, token.Expires),
		"another role":                 ca.Redeems(token.Secret(), token.Invite, guest, token.Expires),
		"a longer life":                ca.Redeems(token.Secret(), token.Invite, token.Node, token.Expires.Add(time.Second)),
		"the proof of another request": ca.RedeemsProof(token.Proof([]byte("mine")), []byte("yours"), token.Invite, token.Node, token.Expires),
		"no proof":                     ca.RedeemsProof(nil, []byte("mine"), token.Invite, token.Node, token.Expires),
		"the secret for a proof":       ca.RedeemsProof(token.Secret(), []byte("mine"), token.Invite, token.Node, token.Expires),
		"a secret of one's own":        ca.Redeems(make([]byte, secretSize), token.Invite, token.Node, token.Expires),
		"no secret":                    ca.Redeems(nil, token.Invite, token.Node, token.Expires),
	} {
		if ok {
			t.Errorf("%s: redeemed", what)
		}
	}
}

func TestJoinTLS(t *testing.T) {
	ca := newTestCA(t)
	token := newTestToken(t, ca)
	b := Static(node(t, ca, Balancer, "b1"))
	server, client := meet(t, ServerTLS(b, "h2"), JoinTLS(token, "h2"))
	if server.err != nil || client.err != nil {
		t.Fatal(server.err, client.err)
	}
	talk(t, server, client)
	if id, ok := PeerIdentity(server.ConnectionState()); ok {
		t.Errorf("the newcomer is %v already", id)
	}
}

func TestJoinTLSRefuses(t *testing.T) {
	ca := newTestCA(t)
	impostor := newTestCAOf(t, ca.Cluster())
	token := newTestToken(t, ca)
	f := node(t, ca, Frontend, "f1")
	fake := node(t, impostor, Balancer, "b1")
	withRealCA := blunt(fake)
	withRealCA.Certificates[0].Certificate = [][]byte{fake.leaf.Raw, ca.cert.Raw}
	caAlone := blunt(fake)
	caAlone.Certificates[0] = tls.Certificate{Certificate: [][]byte{ca.cert.Raw}, PrivateKey: ca.key()}
	withoutCA := blunt(node(t, ca, Balancer, "b1"))
	withoutCA.Certificates[0].Certificate = withoutCA.Certificates[0].Certificate[:1]
	for name, c := range map[string]struct {
		server *tls.Config
		want   error
	}{
		"another CA":              {blunt(fake), ErrUntrusted},
		"another CA, real one in": {withRealCA, ErrUntrusted},
		"the CA's own":            {caAlone, ErrUntrusted},
		"without its CA":          {withoutCA, ErrUntrusted},
		"a frontend":              {ServerTLS(Static(f)), ErrRole},
		"expired":                 {blunt(nodeFrom(t, ca, Balancer, "b1", time.Now().Add(-2*DefaultLife))), ErrExpired},
	} {
		if _, client := meet(t, c.server, JoinTLS(token)); !errors.Is(client.err, c.want) {
			t.Errorf("%s: %v, want %v", name, client.err, c.want)
		}
	}
	other := newTestToken(t, newTestCA(t))
	other.CA = ca.Pin()
	if _, client := meet(t, ServerTLS(Static(node(t, ca, Balancer, "b1"))), JoinTLS(other)); !errors.Is(client.err, ErrCluster) {
		t.Errorf("a token of another cluster: %v", client.err)
	}
}

// A whole join: token, CSR, certificate, and then mutual TLS.
func TestJoin(t *testing.T) {
	ca := newTestCA(t)
	b := Static(node(t, ca, Balancer, "b1"))
	token, err := ParseToken(newTestToken(t, ca).Text())
	if err != nil {
		t.Fatal(err)
	}
	key := newTestKey(t)
	csr, err := CSR(key, token.Node.Role, token.Node.Name)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := ca.Sign(csr, token.Node, 0)
	if err != nil {
		t.Fatal(err)
	}
	c, err := NewCredentials(key, cert, ca.CertPEM())
	if err != nil {
		t.Fatal(err)
	}
	files, _ := saved(t, c)
	server, client := meet(t, ServerTLS(b), ClientTLS(files, Balancer, "b1"))
	if id, ok := PeerIdentity(server.ConnectionState()); !ok || id != token.Node {
		t.Errorf("joined as %v, %v (%v, %v); want %v", id, ok, server.err, client.err, token.Node)
	}
}

func FuzzParseToken(f *testing.F) {
	f.Add(newTestToken(f, newTestCA(f)).Text())
	f.Add(tokenPrefix + "AAA")
	f.Fuzz(func(t *testing.T, text string) {
		token, err := ParseToken(text)
		if err != nil {
			return
		}
		if got := token.Text(); got != strings.Join(strings.Fields(text), "") {
			t.Errorf("%q is written as %q", text, got)
		}
	})
}

// The checksum keeps a fuzzer out of the fields, so they have their own target.
func FuzzTokenFields(f *testing.F) {
	f.Add(newTestToken(f, newTestCA(f)).appendBody(nil))
	f.Fuzz(func(t *testing.T, body []byte) {
		token := &Token{}
		r := &tokenReader{b: body}
		r.token(token)
		if r.short || len(r.b) > 0 || token.validate() != nil {
			return
		}
		if again, err := ParseToken(token.Text()); err != nil || !equal(again, token) {
			t.Errorf("%v became %v, %v", token, again, err)
		}
	})
}
