package plugin

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"testing"
	"time"

	"github.com/onelease/onelease/backend"
	"github.com/onelease/onelease/backend/backendtest"
	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/datagram"
	"github.com/onelease/onelease/i2p/sam"
	"github.com/onelease/onelease/i2p/streaming"
)

// A directLink joins a remote's streams to a frontend, without a network.
type directLink struct{ frontend *backendtest.Frontend }

func (l directLink) Send(_ *streaming.Remote, fromPort, toPort uint16, packet []byte) error {
	l.frontend.Deliver(sam.Packet{FromPort: fromPort, ToPort: toPort, Protocol: backend.ProtocolStreaming, Data: packet})
	return nil
}

func (l directLink) Heard(*streaming.Remote, any) {}

// realHost is a Host with one frontend, and a remote's streams.
func realHost(t *testing.T) (*backend.Host, *streaming.Stack) {
	t.Helper()
	ours, theirs := newKeys(t), newKeys(t)
	f := backendtest.NewFrontend(ours.Destination)
	quiet := slog.New(slog.DiscardHandler)
	host, err := backend.NewHost(backend.Config{
		Frontends: []backend.Frontend{{Name: "f", Dial: f.Dial}}, Destination: ours.Destination, Signer: ours, Logger: quiet,
	})
	if err != nil {
		t.Fatal(err)
	}
	remote, err := streaming.New(streaming.Config{
		Origin: datagram.Origin{Destination: theirs.Destination, Signer: theirs}, Link: directLink{f}, Logger: quiet,
	})
	if err != nil {
		t.Fatal(err)
	}
	f.Name(theirs.Destination.Base32(), theirs.Destination)
	f.OnSend(func(p sam.Packet) {
		remote.Receive(streaming.Inbound{Data: p.Data, FromPort: p.FromPort, ToPort: p.ToPort})
	})
	t.Cleanup(func() { remote.Close(); f.Close() })
	return host, remote
}

func newKeys(t *testing.T) *i2p.Keys {
	t.Helper()
	keys, err := i2p.GenerateKeys()
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// The streams of I2P go through a plugin, and its death is a reset to their remotes.
func TestOnAHost(t *testing.T) {
	host, remote := realHost(t)
	sup, err := New(Config{Name: "site", Path: program(t, "good"), DrainLimit: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- backend.Run(ctx, host, sup) }()
	first := dialHost(t, host, remote)
	echo(t, first, "through the network")
	sup.killAll()
	if _, err := io.ReadAll(first); !errors.Is(err, streaming.ErrReset) {
		t.Errorf("its plugin was killed, and the remote reads %v", err)
	}
	second := dialHost(t, host, remote)
	echo(t, second, "again")
	second.(*streaming.Stream).CloseWrite()
	if rest, err := io.ReadAll(second); err != nil || len(rest) != 0 {
		t.Errorf("at the end %q, %v", rest, err)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func dialHost(t *testing.T, host *backend.Host, remote *streaming.Stack) (c net.Conn) {
	t.Helper()
	until(t, "a stream", func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		s, err := remote.Dial(ctx, streaming.NewRemote(host.Destination()), 0, echoPort)
		c = s
		return err == nil
	})
	return c
}
