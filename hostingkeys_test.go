package onelease_test

import (
	"strings"
	"testing"
	"time"

	"github.com/onelease/onelease"
	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/simnet"
	"github.com/onelease/onelease/test/embedded"
)

// Right after the start keys that were brought are dated as if this program had
// run until just now with `published` ahead of the clock.
func TestHostingDatesBroughtKeys(t *testing.T) {
	inHosting(t, embedded.Config{}, onelease.HostingConfig{}, func(w *hostingWorld) {
		began := time.Now()
		keys, err := i2p.GenerateKeys()
		if err != nil {
			t.Fatal(err)
		}
		brought := w.untilPublished(w.open(onelease.Opening{Keys: keys, Publish: true}))
		fresh := w.untilPublished(w.open(onelease.Opening{Publish: true}))
		made, err := i2p.GenerateKeys()
		if err != nil {
			t.Fatal(err)
		}
		given := w.untilPublished(w.open(onelease.Opening{Keys: made, Fresh: true, Publish: true}))
		if ahead := time.Until(given.Published); ahead > 10*time.Second {
			t.Errorf("keys that were made just now: published %v ahead", ahead)
		}
		if ahead := brought.Published.Sub(began); ahead < 40*time.Second || ahead > time.Minute {
			t.Errorf("brought keys: published %v ahead", ahead)
		}
		if ahead := time.Until(fresh.Published); ahead > 10*time.Second {
			t.Errorf("new keys: published %v ahead", ahead)
		}
	})
}

// offlineKeys are those of a Destination whose own key is elsewhere.
func offlineKeys(t *testing.T) *i2p.Keys {
	t.Helper()
	keys, err := i2p.GenerateKeys()
	if err != nil {
		t.Fatal(err)
	}
	transient, err := i2p.GenerateKeys()
	if err != nil {
		t.Fatal(err)
	}
	offline, err := i2p.SignOffline(keys, transient.Destination.SigningKey(), time.Now().Add(10*time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	return &i2p.Keys{Destination: keys.Destination, Encryption: keys.Encryption, Signing: transient.Signing, Offline: offline}
}

// Where routers take them, offline-signed keys serve and dial.
func TestHostingOfflineKeys(t *testing.T) {
	inHosting(t, embedded.Config{Profile: simnet.JavaI2P}, onelease.HostingConfig{}, func(w *hostingWorld) {
		server := w.open(onelease.Opening{Keys: offlineKeys(t), Publish: true})
		serveEcho(t, server, 7)
		client := w.open(onelease.Opening{Keys: offlineKeys(t)})
		if ls := w.untilPublished(server); ls.Offline == nil {
			t.Error("the LeaseSet has no offline signature")
		}
		c := w.dial(client, server, 7)
		defer c.Close()
		if err := ask(c, "hello\n"); err != nil {
			t.Fatal(err)
		}
		select {
		case <-server.Done():
			t.Error("it has ended before its keys expire")
		case <-time.After(9 * time.Minute):
		}
		<-server.Done()
		if err := server.Close(); err == nil || !strings.Contains(err.Error(), "permission") {
			t.Errorf("ended with %v", err)
		}
	})
}

// Keys of every type that can sign serve and dial.
func TestHostingSignatureTypes(t *testing.T) {
	types := []i2p.SigType{
		i2p.SigDSASHA1, i2p.SigECDSAP256, i2p.SigECDSAP384, i2p.SigECDSAP521, i2p.SigEd25519, i2p.SigEd25519ph, i2p.SigRedDSAEd25519,
	}
	for _, sigType := range types {
		t.Run(sigType.String(), func(t *testing.T) {
			inHosting(t, embedded.Config{}, onelease.HostingConfig{}, func(w *hostingWorld) {
				keys, err := i2p.GenerateKeysOf(sigType)
				if err != nil {
					t.Fatal(err)
				}
				server := w.open(onelease.Opening{Keys: keys, Publish: true})
				serveEcho(t, server, 7)
				if keys, err = i2p.GenerateKeysOf(sigType); err != nil {
					t.Fatal(err)
				}
				client := w.open(onelease.Opening{Keys: keys})
				w.untilPublished(server)
				c := w.dial(client, server, 7)
				defer c.Close()
				if err := ask(c, "hello\n"); err != nil {
					t.Fatal(err)
				}
			})
		})
	}
}
