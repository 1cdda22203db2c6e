package streaming

import (
	"bytes"
	"testing"

	"github.com/onelease/onelease/i2p"
)

// FuzzParse wants no panic; of what parses, that a packet without a proof is
// written back as it came, and that Verify leaves what it cannot verify as it was.
func FuzzParse(f *testing.F) {
	origin := newOrigin(f, i2p.SigEd25519)
	sender := NewRemote(origin.Destination)
	offline := offlineOrigin(f, packetNow)
	f.Add(signedSYN(f, &origin))
	f.Add(signedSYN(f, &offline))
	f.Add((&Packet{SendID: 1, ReceiveID: 2, NACKs: make([]byte, 8), Payload: []byte("x")}).AppendTo(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		var p Packet
		if p.Parse(b) != nil {
			return
		}
		for i := range p.NACKCount() {
			p.NACK(i)
		}
		before := bytes.Clone(b)
		if err := p.Verify(sender, packetNow); err == nil && p.Flags&FlagSigned == 0 {
			t.Error("verifies without a signature")
		}
		if !bytes.Equal(b, before) {
			t.Error("Verify changed the packet")
		}
		if p.proofAt == p.proofEnd && p.Flags&(FlagSigned|FlagOffline) == 0 && !bytes.Equal(p.AppendTo(nil), b) {
			t.Errorf("written back as %x, was %x", p.AppendTo(nil), b)
		}
	})
}
