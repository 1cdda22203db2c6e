package i2cp_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/i2cp"
	"github.com/onelease/onelease/test/i2pd"
	"github.com/onelease/onelease/test/i2pd/samclient"
)

// TestLiveSignatureTypes has a Destination of each type that i2pd can make, by keys
// of its own SAM bridge and by ours. We sign its session and its LeaseSet; i2pd checks
// the first, and those routers that store and find the LeaseSet check that. A
// message must arrive, and an Ed25519 Destination on another router must find it.
func TestLiveSignatureTypes(t *testing.T) {
	net := i2pd.Start(t, i2pd.Config{Killable: []int{10, 11}})
	finder := newParty(t, net.Router(11).I2CPAddr(), "")
	finder.start()
	finder.waitUp()
	parties := map[string]*party{}
	for _, kind := range []i2p.SigType{i2p.SigDSASHA1, i2p.SigECDSAP256, i2p.SigECDSAP384, i2p.SigECDSAP521, i2p.SigEd25519, i2p.SigRedDSAEd25519} {
		ours, err := i2p.GenerateKeysOf(kind)
		if err != nil {
			t.Fatal(err)
		}
		for name, keys := range map[string]*i2p.Keys{"ours": ours, "theirs": theirKeys(t, net.Router(10).SAMAddr(), kind)} {
			p := newParty(t, net.Router(10).I2CPAddr(), "")
			p.keys = keys
			p.start()
			parties[kind.Code()+"/"+name] = p
		}
	}
	for _, name := range slices.Sorted(maps.Keys(parties)) {
		t.Run(name, func(t *testing.T) { liveType(t, parties[name], finder) })
	}
}

// theirKeys are of i2pd's DEST GENERATE.
func theirKeys(t *testing.T, bridge string, kind i2p.SigType) *i2p.Keys {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	public, private, err := samclient.GenerateOf(ctx, bridge, kind.Code())
	if err != nil {
		t.Fatalf("%v: %v", kind, err)
	}
	keys, err := i2p.ParseKeysBase64(private)
	if err != nil || keys.SigType() != kind || keys.Destination.Base64() != public {
		t.Fatalf("%v: read as %v, %v", kind, keys, err)
	}
	return keys
}

func liveType(t *testing.T, p, finder *party) {
	begin := time.Now()
	p.waitUp()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for again := time.Tick(200 * time.Millisecond); ; <-again {
		dest, err := finder.LookupHash(ctx, p.keys.Destination.Hash())
		if err == nil && dest == p.keys.Destination {
			break
		}
		if !errors.Is(err, i2cp.ErrNotFound) {
			t.Fatalf("look up: %v", err)
		}
	}
	finder.until(t, p, []byte("there"))
	t.Logf("found and reached after %v", time.Since(begin))
}
