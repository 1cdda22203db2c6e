package sambridge

import (
	"context"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/sam"
)

// slowKeys bounds how many keys of RSA are made at once: one takes a core for up to
// some seconds. Nobody else waits for them.
var slowKeys = make(chan struct{}, 1)

// makeKeys makes keys of a SIGNATURE_TYPE, unless ctx ends while they wait for their turn.
func makeKeys(ctx context.Context, signatureType string) (*i2p.Keys, error) {
	if t, err := i2p.ParseSigType(signatureType); err == nil && t >= i2p.SigRSA2048 && t <= i2p.SigRSA4096 {
		select {
		case slowKeys <- struct{}{}:
			defer func() { <-slowKeys }()
		case <-ctx.Done():
			return nil, sam.Refusef(sam.ResultI2PError, "SIGNATURE_TYPE=%.40s: others wait for such keys too; try again, or use 7 (Ed25519)", signatureType)
		}
	}
	return sam.MakeKeys(signatureType)
}

// onDestGenerate makes keys, which the bridge does not keep.
func (c *conn) onDestGenerate() error {
	signatureType := c.cmd.Value("SIGNATURE_TYPE")
	var keys *i2p.Keys
	var err error
	if here := c.meanwhile(func(ctx context.Context) { keys, err = makeKeys(ctx, signatureType) }); !here {
		return errQuit
	}
	return c.send(func(b []byte) []byte { return sam.AppendDestReply(b, keys, err) })
}
