package onelease_test

import (
	"errors"
	"log/slog"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/onelease/onelease"
	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/test/embedded"
)

// What an application asks for reaches the routers, divided over the members; what
// the scheme needs, or is for a client library, does not.
func TestHostingOptions(t *testing.T) {
	inHosting(t, embedded.Config{}, onelease.HostingConfig{}, func(w *hostingWorld) {
		d := w.open(onelease.Opening{Publish: true, Options: i2p.Mapping{
			"inbound.quantity": "5", "outbound.quantity": "2", "inbound.length": "1", "outbound.backupQuantity": "2", "inbound.nickname": "a b",
			"i2cp.messageReliability": "BestEffort", "i2cp.fastReceive": "false", "i2cp.leaseSetEncType": "0", "i2cp.leaseSetType": "3",
			"i2cp.password": "secret", "i2p.streaming.maxWindowSize": "8", "crypto.tagsToSend": "40",
		}})
		w.untilPublished(d)
		for router, want := range map[string]i2p.Mapping{
			"member-1": {
				"inbound.quantity": "3", "outbound.quantity": "2", "inbound.length": "1", "outbound.length": "3", "outbound.backupQuantity": "1",
				"inbound.nickname": "a b", "i2cp.messageReliability": "none", "i2cp.fastReceive": "true", "i2cp.leaseSetEncType": "4",
				"i2cp.leaseSetType": "3", "i2cp.dontPublishLeaseSet": "false", "crypto.tagsToSend": "40",
			},
			"publisher": {
				"inbound.quantity": "2", "outbound.quantity": "2", "inbound.length": "1", "outbound.length": "3",
				"inbound.nickname": "a b", "i2cp.messageReliability": "none", "i2cp.fastReceive": "true", "i2cp.leaseSetEncType": "4",
				"i2cp.leaseSetType": "3", "i2cp.dontPublishLeaseSet": "true", "crypto.tagsToSend": "40",
			},
		} {
			got, ok := w.network.Router(router).Session(d.Keys().Destination.Hash())
			if !ok || !maps.Equal(got, want) {
				t.Errorf("%s has %v\nwant %v", router, got, want)
			}
		}
	})
}

// An application that says so is never published.
func TestHostingNeverPublished(t *testing.T) {
	inHosting(t, embedded.Config{}, onelease.HostingConfig{}, func(w *hostingWorld) {
		d := w.open(onelease.Opening{Publish: true, Options: i2p.Mapping{"i2cp.dontPublishLeaseSet": "true"}})
		d.Publish()
		time.Sleep(2 * time.Minute)
		if _, ok := w.network.Lookup(d.Keys().Destination.Hash()); ok {
			t.Error("it is in the netDB")
		}
	})
}

// An option that a router would not take is named, and nothing is opened.
func TestHostingBadOptions(t *testing.T) {
	network := embedded.Start(embedded.Config{})
	defer network.Close()
	hosting, err := onelease.NewHosting(onelease.HostingConfig{Routers: network.Routers(), Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer hosting.Close()
	for name, value := range map[string]string{
		"inbound.quantity": "0", "outbound.quantity": "17", "inbound.length": "8", "outbound.length": "three", "inbound.lengthVariance": "-8",
		"inbound.allowZeroHop": "yes", "i2cp.leaseSetType": "5", "i2cp.encryptLeaseSet": "true", "i2cp.leaseSetSecret": "x",
		"i2cp.leaseSetClient.psk.0": "x", "i2cp.leaseSetOption.1": "record", "inbound.nickname": strings.Repeat("x", 256),
	} {
		_, err := hosting.Open(t.Context(), onelease.Opening{Options: i2p.Mapping{name: value}})
		if !errors.Is(err, onelease.ErrOption) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s=%s: %v", name, value, err)
		}
	}
	if n := hosting.Destinations(); n != 0 {
		t.Errorf("%d are on the books", n)
	}
}
