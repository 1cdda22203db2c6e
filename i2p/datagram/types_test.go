package datagram

import (
	"bytes"
	"testing"
	"time"

	"github.com/onelease/onelease/i2p"
)

// Datagrams of a Destination with each type of key, and of transient keys of each
// type that an Ed25519 one permits: what a receiver parses must verify.
func TestEveryTypeOfKey(t *testing.T) {
	own := testKeys(t)
	for _, kind := range []i2p.SigType{
		i2p.SigDSASHA1, i2p.SigECDSAP256, i2p.SigECDSAP384, i2p.SigECDSAP521, i2p.SigRSA2048,
		i2p.SigEd25519, i2p.SigEd25519ph, i2p.SigRedDSAEd25519,
	} {
		t.Run(kind.Code(), func(t *testing.T) {
			keys, err := i2p.GenerateKeysOf(kind)
			if err != nil {
				t.Fatal(err)
			}
			one, err := AppendDatagram1(nil, keys.Destination, keys, hello)
			if err != nil || len(one) != Overhead1(keys.Destination)+len(hello) {
				t.Fatalf("%d bytes, %v", len(one), err)
			}
			d, err := ParseDatagram1(one)
			if err != nil || !bytes.Equal(d.Payload, hello) {
				t.Fatalf("%q, %v", d.Payload, err)
			}
			if err := d.Verify(NewSender(keys.Destination)); err != nil {
				t.Error(err)
			}
			checkSigned2(t, Origin{Destination: keys.Destination, Signer: keys})
			offline, err := i2p.SignOffline(own, keys.Destination.SigningKey(), time.Now().Add(time.Hour))
			if err != nil {
				t.Fatal(err)
			}
			checkSigned2(t, Origin{Destination: own.Destination, Signer: keys, Offline: offline})
		})
	}
}

func checkSigned2(t *testing.T, o Origin) {
	t.Helper()
	b, err := AppendDatagram2(nil, o, target, nil, hello)
	if err != nil || len(b) != o.Overhead2()+len(hello) {
		t.Fatalf("%d bytes, want %d: %v", len(b), o.Overhead2()+len(hello), err)
	}
	d, err := ParseDatagram2(b)
	if err != nil || !bytes.Equal(d.Payload, hello) {
		t.Fatalf("%q, %v", d.Payload, err)
	}
	if err := d.Verify(NewSender(o.Destination), target, time.Now()); err != nil {
		t.Error(err)
	}
}
