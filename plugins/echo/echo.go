// Package echo is a service that sends every datagram back to its sender: the
// smallest service there is, and the one to try a set of frontends with.
//
//	err := backend.Run(ctx, host, echo.Service{Port: 7})
//
// The service is a package, so that programs can link it (the demo and
// examples/echo do); the plugin that runs it by itself is the main beside it,
// plugins/echo/cmd/echo.
//
// It answers Datagram and Datagram2, which are signed. It does not answer
// Datagram3, where anybody can have the answer sent to somebody else, and
// cannot answer Raw.
package echo

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"

	"golang.org/x/sync/errgroup"

	"github.com/onelease/onelease/backend"
	"github.com/onelease/onelease/i2p/datagram"
)

// Service echoes what comes to one port. Its zero value is ready.
type Service struct {
	// Port is the I2P port; 0 gets what comes to any port.
	Port uint16
	// Kinds are the kinds of datagram: Datagram and Datagram2 if it is empty.
	Kinds []backend.Kind
}

// Serve echoes until ctx ends. It fails if a port cannot be opened.
func (s Service) Serve(ctx context.Context, node backend.Node) error {
	kinds := s.Kinds
	if len(kinds) == 0 {
		kinds = []backend.Kind{backend.Datagram, backend.Datagram2}
	}
	group, ctx := errgroup.WithContext(ctx)
	for _, kind := range kinds {
		group.Go(func() error { return s.serve(ctx, node, kind) })
	}
	return group.Wait()
}

func (s Service) serve(ctx context.Context, node backend.Node, kind backend.Kind) error {
	conn, err := node.ListenPacket(kind, s.Port)
	if err != nil {
		return fmt.Errorf("echo: %w", err)
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	return echo(conn, node.Logger().With("service", "echo", "kind", kind.String()))
}

// echo answers until conn is closed, which is no error.
func echo(conn net.PacketConn, log *slog.Logger) error {
	buffer := make([]byte, datagram.MaxSize)
	for {
		n, from, err := conn.ReadFrom(buffer)
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("echo: %w", err)
		}
		// Datagrams may be lost anywhere; one that cannot be sent is one of those.
		if _, err := conn.WriteTo(buffer[:n], from); err != nil {
			log.Debug("answer not sent", "error", err)
		}
	}
}

var _ backend.Service = Service{}
