package doctor

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// A server's own certificate is judged as a node's is.
func TestServerCertificate(t *testing.T) {
	now := time.Now()
	for name, test := range map[string]struct {
		pem  []byte
		want string
	}{
		"good":     {issued(t, now.Add(-day), now.Add(90*day)), ""},
		"expired":  {issued(t, now.Add(-9*day), now.Add(-day)), "certificate-expired"},
		"early":    {issued(t, now.Add(day), now.Add(90*day)), "certificate-early"},
		"expiring": {issued(t, now.Add(-day), now.Add(9*day)), "certificate-expiring"},
		"a key":    {pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte{1}}), "certificate-unusable"},
		"cut off":  {pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte{1}}), "certificate-unusable"},
		"missing":  {nil, "certificate-unusable"},
	} {
		path := filepath.Join(t.TempDir(), "sam.pem")
		if test.pem != nil {
			if err := os.WriteFile(path, test.pem, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		report := Run(t.Context(), Config{Certificates: []string{path}})
		if len(report.Results) != 1 || report.Results[0].Fault != test.want || report.Results[0].On != path {
			t.Errorf("%s: %+v, want %q", name, report.Results, test.want)
		}
	}
}

// issued is a certificate that signs itself.
func issued(t *testing.T, from, until time.Time) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: from, NotAfter: until}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: raw})
}
