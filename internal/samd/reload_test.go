package samd

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/onelease/onelease/internal/routers"
)

// writePair writes a certificate with that serial number, and its key.
func writePair(t *testing.T, dir string, serial int64) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := x509.Certificate{SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "sam"}, NotAfter: time.Now().Add(time.Hour)}
	cert, err := x509.CreateCertificate(rand.Reader, &template, &template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{"cert": {Type: "CERTIFICATE", Bytes: cert}, "key": {Type: "PRIVATE KEY", Bytes: der}} {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// New connections get a certificate that was changed; one that cannot be used is refused, and
// with it all else.
func TestReload(t *testing.T) {
	dir := t.TempDir()
	writePair(t, dir, 1)
	cfg := Config{
		Listen: []string{"127.0.0.1:0"}, UDP: NoUDP, Users: filepath.Join(dir, "users"),
		TLSCert: filepath.Join(dir, "cert"), TLSKey: filepath.Join(dir, "key"),
		Routers: []routers.Router{{Name: "a", Address: "127.0.0.1:1"}},
	}
	if err := os.WriteFile(cfg.Users, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	b, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- b.Run(ctx) }()
	defer func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}()
	serial := func() int64 {
		conn, err := tls.Dial("tcp", b.Addrs()[0], &tls.Config{InsecureSkipVerify: true})
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		return conn.ConnectionState().PeerCertificates[0].SerialNumber.Int64()
	}
	writePair(t, dir, 2)
	if got := serial(); got != 1 {
		t.Errorf("certificate %d before the reload", got)
	}
	if err := b.Reload(cfg); err != nil || serial() != 2 {
		t.Errorf("%v, certificate %d", err, serial())
	}
	writePair(t, dir, 3)
	if err := os.Chmod(cfg.Users, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := b.Reload(cfg); err == nil || serial() != 2 {
		t.Errorf("with a file of users that all may read: %v, certificate %d", err, serial())
	}
	if err := errors.Join(os.Chmod(cfg.Users, 0o600), os.Chmod(cfg.TLSKey, 0o644)); err != nil {
		t.Fatal(err)
	}
	if err := b.Reload(cfg); err == nil || serial() != 2 {
		t.Errorf("with a key that all may read: %v, certificate %d", err, serial())
	}
	plain, others := cfg, cfg
	plain.TLSCert, plain.TLSKey = "", ""
	others.Users = filepath.Join(dir, "others")
	if err := b.Reload(plain); !errors.Is(err, errTLS) {
		t.Error(err)
	}
	if err := b.Reload(others); !errors.Is(err, errUsers) {
		t.Error(err)
	}
}
