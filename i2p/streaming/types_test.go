package streaming

import (
	"testing"
	"time"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/datagram"
)

// A SYN of a Destination with each type of key verifies.
func TestEveryTypeOfKey(t *testing.T) {
	for _, kind := range []i2p.SigType{
		i2p.SigDSASHA1, i2p.SigECDSAP256, i2p.SigECDSAP384, i2p.SigECDSAP521, i2p.SigRSA2048,
		i2p.SigEd25519, i2p.SigEd25519ph, i2p.SigRedDSAEd25519,
	} {
		keys, err := i2p.GenerateKeysOf(kind)
		if err != nil {
			t.Fatal(err)
		}
		syn := Packet{Flags: FlagSync | FlagFrom, ReceiveID: 7, Payload: []byte("hello")}
		b, err := syn.AppendSigned(nil, &datagram.Origin{Destination: keys.Destination, Signer: keys})
		if err != nil {
			t.Fatalf("%v: %v", kind, err)
		}
		var p Packet
		if err := p.Parse(b); err != nil {
			t.Fatalf("%v: %v", kind, err)
		}
		if err := p.Verify(datagram.NewSender(keys.Destination), time.Now()); err != nil || string(p.Payload) != "hello" {
			t.Errorf("%v: %q, %v", kind, p.Payload, err)
		}
	}
}
