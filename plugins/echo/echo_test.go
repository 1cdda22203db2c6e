package echo

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/onelease/onelease/backend"
	"github.com/onelease/onelease/backend/backendtest"
	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/sam"
	"github.com/onelease/onelease/i2p/streaming"
)

func startEcho(t *testing.T, s backend.Service) (*backendtest.Frontend, *i2p.Keys, func() error) {
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

func TestStreams(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, keys, stop := startEcho(t, Service{MaxStreams: 2})
		network := backendtest.NewNet(t, []*backendtest.Frontend{f})
		defer network.Close()
		remote := network.NewRemote(0, false)
		dial := func() *streaming.Stream {
			conn, err := remote.Stack.Dial(t.Context(), streaming.NewRemote(keys.Destination), 0, 7)
			if err != nil {
				t.Fatal(err)
			}
			return conn
		}
		one, two := dial(), dial()
		want := strings.Repeat("echo ", 20_000)
		go func() {
			io.WriteString(one, want)
			one.CloseWrite()
		}()
		if got, err := io.ReadAll(one); string(got) != want || err != nil {
			t.Errorf("%d bytes, %v; want %d", len(got), err, len(want))
		}
		three, four := dial(), dial() // one has ended, so there is a place
		io.WriteString(three, "x")
		if _, err := io.ReadFull(three, make([]byte, 1)); err != nil {
			t.Error(err)
		}
		if _, err := four.Read(make([]byte, 1)); !errors.Is(err, streaming.ErrReset) {
			t.Errorf("a stream too many: %v", err)
		}
		io.WriteString(two, "x")
		began := time.Now()
		io.ReadFull(two, make([]byte, 1))
		if _, err := two.Read(make([]byte, 1)); !errors.Is(err, streaming.ErrReset) || time.Since(began) < idle {
			t.Errorf("an idle stream after %v: %v", time.Since(began), err)
		}
		five := dial()
		synctest.Wait()
		if err := stop(); err != nil {
			t.Error(err)
		}
		if _, err := five.Read(make([]byte, 1)); !errors.Is(err, streaming.ErrReset) {
			t.Errorf("after the end: %v", err)
		}
	})
}

// Without streams the port is free for those of another service.
func TestNoStreams(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		other := backend.Listener(0, func(ctx context.Context, _ net.Listener) error {
			<-ctx.Done()
			return nil
		})
		for streams, want := range map[int]error{-1: nil, 0: streaming.ErrPortInUse} {
			_, _, stop := startEcho(t, backend.Services(Service{MaxStreams: streams}, other))
			if err := stop(); !errors.Is(err, want) {
				t.Errorf("%d streams: %v, want %v", streams, err, want)
			}
		}
	})
}

func TestBadInput(t *testing.T) {
	for says, s := range map[string]Service{
		"setting kinds: raw is there twice": {Kinds: []backend.Kind{backend.Raw, backend.Raw}},
		"setting kinds: no such kind":       {Kinds: []backend.Kind{3}},
	} {
		if err := s.Serve(t.Context(), nil); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%v, want %q", err, says)
		}
	}
}
