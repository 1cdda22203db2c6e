package echo

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"

	"github.com/onelease/onelease/backend"
	"github.com/onelease/onelease/backend/backendtest"
	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/sam"
)

func startEcho(t *testing.T, s Service) (*backendtest.Frontend, *i2p.Keys, func() error) {
	t.Helper()
	keys, err := i2p.GenerateKeys()
	if err != nil {
		t.Fatal(err)
	}
	f := backendtest.NewFrontend(keys.Destination)
	host, err := backend.NewHost(backend.Config{
		Frontends: []backend.Frontend{{Name: "f", Dial: f.Dial}},
		Signer:    keys,
		Logger:    slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- backend.Run(ctx, host, s) }()
	synctest.Wait()
	return f, keys, func() error {
		defer f.Close()
		cancel()
		return <-done
	}
}

func TestEcho(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, keys, stop := startEcho(t, Service{})
		remote := backendtest.NewRemote(t, keys.Destination)
		for _, p := range []sam.Packet{remote.Datagram(7, "one"), remote.Datagram2(8, "two")} {
			f.Deliver(p)
			synctest.Wait()
			sent := f.Sent()
			if len(sent) != 1 || sent[0].Protocol != p.Protocol || sent[0].ToPort != remote.Port {
				t.Fatalf("sent %+v", sent)
			}
			if want := map[uint8]string{17: "one", 19: "two"}[p.Protocol]; remote.Open(sent[0]) != want {
				t.Errorf("answer %q, want %q", remote.Open(sent[0]), want)
			}
		}
		f.Deliver(remote.Datagram3(7, "three"))
		synctest.Wait()
		if sent := f.Sent(); len(sent) != 0 {
			t.Errorf("an unsigned datagram is answered: %+v", sent)
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

func TestEchoFailsOnATakenPort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		twice := Service{Kinds: []backend.Kind{backend.Raw, backend.Raw}}
		_, _, stop := startEcho(t, twice)
		if err := stop(); !errors.Is(err, backend.ErrPortInUse) {
			t.Errorf("got %v, want ErrPortInUse", err)
		}
	})
}
