package proxy

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"strings"
	"testing"

	"github.com/onelease/onelease/backend"
	"github.com/onelease/onelease/backend/backendtest"
	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/streaming"
)

// What the other tests do over sockets works over I2P's streams too: ends of one
// direction, and resets.
func TestOverStreams(t *testing.T) {
	target := tcpTarget(t, func(conn *net.TCPConn) {
		defer conn.Close()
		text, _ := io.ReadAll(conn)
		if string(text) == "reset" {
			conn.SetLinger(0)
			return
		}
		io.WriteString(conn, strings.ToUpper(string(text)))
	})
	dial := startStreams(t, &Service{Target: target})
	for text, want := range map[string]error{strings.Repeat("text ", 20_000): nil, "reset": streaming.ErrReset} {
		conn := dial()
		io.WriteString(conn, text)
		conn.CloseWrite()
		got, err := io.ReadAll(conn)
		if !errors.Is(err, want) || err == nil && string(got) != strings.ToUpper(text) {
			t.Errorf("%d bytes, %v, want %v", len(got), err, want)
		}
		conn.Close()
	}
}

// startStreams has s served by a Host in memory, in real time since its target is a
// socket.
func startStreams(t *testing.T, s *Service) (dial func() *streaming.Stream) {
	keys, err := i2p.GenerateKeys()
	if err != nil {
		t.Fatal(err)
	}
	f := backendtest.NewFrontend(keys.Destination)
	host, err := backend.NewHost(backend.Config{
		Signer: keys, Logger: slog.New(slog.DiscardHandler), Frontends: []backend.Frontend{{Name: "f", Dial: f.Dial}},
	})
	if err != nil {
		t.Fatal(err)
	}
	network := backendtest.NewNet(t, []*backendtest.Frontend{f})
	ready, ended := make(chan struct{}), make(chan error, 1)
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		ended <- backend.Run(ctx, host, backend.ServiceFunc(func(ctx context.Context, node backend.Node) error {
			return s.Serve(ctx, opened{node, ready})
		}))
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		network.Close()
		f.Close()
	})
	<-ready
	remote := network.NewRemote(0, false)
	return func() *streaming.Stream {
		conn, err := remote.Stack.Dial(t.Context(), streaming.NewRemote(keys.Destination), 0, 22)
		if err != nil {
			t.Fatal(err)
		}
		return conn
	}
}

// opened tells when the port is open.
type opened struct {
	backend.Node
	ready chan struct{}
}

func (o opened) Listen(port uint16) (net.Listener, error) {
	defer close(o.ready)
	return o.Node.Listen(port)
}
