package pki

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestReloadUnderUse(t *testing.T) {
	ca := newTestCA(t)
	b := node(t, ca, Balancer, "b1")
	files, dir := saved(t, b)
	serverConfig := ServerTLS(files)
	clientConfig := ClientTLS(Static(node(t, ca, Frontend, "f1")), "", "")
	oldServer, oldClient := meet(t, serverConfig, clientConfig)
	talk(t, oldServer, oldClient)

	next := nodeWith(t, ca, b.key(), b.Identity(), time.Now().Add(time.Minute))
	if err := next.Replace(dir); err != nil {
		t.Fatal(err)
	}
	_, client := meet(t, serverConfig, clientConfig)
	if got := client.ConnectionState().PeerCertificates[0]; !got.Equal(b.leaf) {
		t.Error("the new certificate is used before Reload")
	}
	if err := files.Reload(); err != nil {
		t.Fatal(err)
	}
	server, client := meet(t, serverConfig, clientConfig)
	if got := client.ConnectionState().PeerCertificates[0]; !got.Equal(next.leaf) {
		t.Error("a new connection has the old certificate")
	}
	talk(t, server, client)
	talk(t, oldServer, oldClient)
}

func TestReloadedClientPresentsTheNewCertificate(t *testing.T) {
	ca := newTestCA(t)
	f := node(t, ca, Frontend, "f1")
	files, dir := saved(t, f)
	clientConfig := ClientTLS(files, "", "")
	next := nodeWith(t, ca, f.key(), f.Identity(), time.Now().Add(time.Minute))
	if err := errors.Join(next.Replace(dir), files.Reload()); err != nil {
		t.Fatal(err)
	}
	server, _ := meet(t, ServerTLS(Static(node(t, ca, Balancer, "b1"))), clientConfig)
	if got := server.ConnectionState().PeerCertificates[0]; !got.Equal(next.leaf) {
		t.Error("the server sees the old certificate")
	}
}

// While a CA is replaced, ca.crt has both; then it has the new one alone.
func TestReplacingTheCA(t *testing.T) {
	first := newTestCA(t)
	second := newTestCAOf(t, first.Cluster())
	b := node(t, first, Balancer, "b1")
	files, dir := saved(t, b)
	serverConfig := ServerTLS(files)
	newcomer := ClientTLS(Static(node(t, second, Frontend, "f1")), "", "")
	newcomer.VerifyConnection = nil // it does not know the first CA
	met := func() error { server, _ := meet(t, serverConfig, newcomer); return server.err }
	if err := met(); !errors.Is(err, ErrUntrusted) {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "ca.crt")
	os.WriteFile(path, append(first.CertPEM(), second.CertPEM()...), 0o600)
	if err := errors.Join(files.Reload(), met()); err != nil {
		t.Fatal("with both CAs:", err)
	}
	os.WriteFile(path, second.CertPEM(), 0o600)
	if err := files.Reload(); !errors.Is(err, ErrUntrusted) {
		t.Error("its own certificate is not of the second CA:", err)
	}
	os.WriteFile(path, append(first.CertPEM(), second.CertPEM()...), 0o600)
	cert, _ := second.Issue(b.Identity(), b.key().Public(), 0, time.Now())
	next, err := NewCredentials(b.key(), cert, second.CertPEM())
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(next.Replace(dir), files.Reload(), met()); err != nil {
		t.Error("with the second CA alone:", err)
	}
	server, _ := meet(t, serverConfig, blunt(node(t, first, Frontend, "f2")))
	if !errors.Is(server.err, ErrUntrusted) {
		t.Error("the first CA is still trusted:", server.err)
	}
}

func TestFailedReloadKeepsTheOld(t *testing.T) {
	ca := newTestCA(t)
	b := node(t, ca, Balancer, "b1")
	expired := nodeWith(t, ca, b.key(), b.Identity(), time.Now().Add(-2*DefaultLife))
	for name, c := range map[string]struct {
		files *Credentials
		want  error
	}{
		"another cluster": {node(t, newTestCA(t), Balancer, "b1"), ErrChanged},
		"another name":    {node(t, ca, Balancer, "b2"), ErrChanged},
		"another role":    {node(t, ca, Frontend, "b1"), ErrChanged},
		"expired":         {expired, ErrExpired},
		"none":            {nil, os.ErrNotExist},
	} {
		files, dir := saved(t, b)
		for _, name := range names(t, dir) {
			os.Remove(filepath.Join(dir, name))
		}
		if c.files != nil {
			if err := c.files.Save(dir); err != nil {
				t.Fatal(err)
			}
		}
		if err := files.Reload(); !errors.Is(err, c.want) || !strings.Contains(err.Error(), dir) || !strings.Contains(err.Error(), "stays in use") {
			t.Errorf("%s: %v, want %v and the directory", name, err, c.want)
		}
		if got := files.Credentials(); !got.leaf.Equal(b.leaf) {
			t.Errorf("%s: it is in use", name)
		}
	}
}

func TestNewReloaderRefusesAnExpiredCertificate(t *testing.T) {
	dir := t.TempDir()
	c := nodeFrom(t, newTestCA(t), Backend, "web", time.Now().Add(-2*DefaultLife))
	if err := c.Save(dir); err != nil {
		t.Fatal(err)
	}
	if _, err := NewReloader(dir); !errors.Is(err, ErrExpired) || !strings.Contains(err.Error(), dir) || !strings.Contains(err.Error(), "renew with") {
		t.Error(err)
	}
}

// For the race detector: handshakes while the files are renewed.
func TestConcurrentReloads(t *testing.T) {
	ca := newTestCA(t)
	files, _ := saved(t, node(t, ca, Balancer, "b1"))
	serverConfig, clientConfig := ServerTLS(files), ClientTLS(files, "", "b1")
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			if server, client := meet(t, serverConfig, clientConfig); server.err != nil || client.err != nil {
				t.Error(server.err, client.err)
			}
		})
		all.Go(func() {
			if err := files.Reload(); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}
