package pki

import (
	"crypto/x509"
	"errors"
	"net/url"
	"strings"
	"testing"
)

const testCluster = "00112233445566778899aabbccddeeff"

func TestIdentityRoundTrip(t *testing.T) {
	for _, role := range []Role{Balancer, Frontend, Backend, Guest, Operator} {
		for _, name := range []string{"a", "fra-1.example_x", strings.Repeat("z", MaxNameLength)} {
			id := Identity{NewCluster(), role, name}
			if again, err := ParseIdentity(id.String()); err != nil || again != id {
				t.Errorf("%v: %v, %v", id, again, err)
			}
		}
	}
}

func TestParseIdentityRefuses(t *testing.T) {
	good := "onelease://" + testCluster + "/frontend/f1"
	if _, err := ParseIdentity(good); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{
		"", "onelease://", good + "/", good + "/x", good + "?q", good + "#f", good + "%31", " " + good,
		strings.Replace(good, "onelease", "https", 1),
		strings.Replace(good, "onelease", "Onelease", 1),
		strings.Replace(good, testCluster, testCluster[1:], 1),
		strings.Replace(good, testCluster, strings.ToUpper(testCluster), 1),
		strings.Replace(good, "//", "//user@", 1),
		strings.Replace(good, "frontend", "root", 1),
		strings.Replace(good, "f1", "", 1),
		strings.Replace(good, "f1", "F1", 1),
		strings.Replace(good, "f1", "é", 1),
		strings.Replace(good, "f1", strings.Repeat("a", MaxNameLength+1), 1),
	} {
		if id, err := ParseIdentity(bad); !errors.Is(err, ErrInvalid) || id != (Identity{}) {
			t.Errorf("%q: %v, %v", bad, id, err)
		}
	}
}

func TestIdentityOfNeedsExactlyOneURI(t *testing.T) {
	id := Identity{testCluster, Backend, "web"}
	uri := id.url()
	if got, err := IdentityOf(&x509.Certificate{URIs: []*url.URL{uri}}); err != nil || got != id {
		t.Fatalf("%v, %v", got, err)
	}
	for name, uris := range map[string][]*url.URL{
		"none":         nil,
		"the same two": {uri, uri},
		"another too":  {uri, {Scheme: "https", Host: "example.org"}},
		"other scheme": {{Scheme: "spiffe", Host: uri.Host, Path: uri.Path}},
		"a CA's":       {{Scheme: scheme, Host: testCluster}},
		"escaped":      {{Scheme: scheme, Host: testCluster, Path: "/backend/web", RawPath: "/backend/%77eb"}},
	} {
		if got, err := IdentityOf(&x509.Certificate{URIs: uris}); !errors.Is(err, ErrNoIdentity) || got != (Identity{}) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}

func FuzzParseIdentity(f *testing.F) {
	f.Add("onelease://" + testCluster + "/frontend/f1")
	f.Add("onelease://x/y/z")
	f.Fuzz(func(t *testing.T, uri string) {
		id, err := ParseIdentity(uri)
		if err != nil {
			return
		}
		if id.String() != uri {
			t.Errorf("%q is read as %q", uri, id)
		}
		parsed, err := url.Parse(uri)
		if err != nil {
			t.Fatalf("%q is no URI: %v", uri, err)
		}
		if got, err := IdentityOf(&x509.Certificate{URIs: []*url.URL{parsed}}); err != nil || got != id {
			t.Errorf("in a certificate %q becomes %v, %v", uri, got, err)
		}
	})
}
