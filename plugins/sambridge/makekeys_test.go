package sambridge

import (
	"context"
	"testing"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/sam"
)

// Who wants RSA waits for its turn, and can leave; others do not wait.
func TestMakeKeysInTurn(t *testing.T) {
	slowKeys <- struct{}{}
	defer func() { <-slowKeys }()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, name := range []string{"4", "rsa_sha512_4096"} {
		if keys, err := makeKeys(ctx, name); sam.ResultOf(err) != sam.ResultI2PError || keys != nil {
			t.Errorf("%s: %v, %v", name, keys, err)
		}
	}
	for name, want := range map[string]i2p.SigType{"": i2p.SigEd25519, "1": i2p.SigECDSAP256} {
		if keys, err := makeKeys(ctx, name); err != nil || keys.SigType() != want {
			t.Errorf("%q: %v, %v", name, keys, err)
		}
	}
}
