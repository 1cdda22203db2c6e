// Package echo is a service that sends every datagram back to its sender, and what
// comes on a stream back on the same: the smallest service there is, and the one
// to try a set of frontends with.
//
//	err := backend.Run(ctx, host, echo.Service{Port: 7})
//
// The service is a package, so that programs can link it (the demo does); the
// plugin that runs it by itself is the main beside it, plugins/echo/cmd/echo.
//
// It answers Datagram and Datagram2, which are signed. It does not answer
// Datagram3, where anybody can have the answer sent to somebody else, and
// cannot answer Raw.
package echo

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"slices"

	"github.com/onelease/onelease/backend"
	"github.com/onelease/onelease/i2p/datagram"
)

// Service echoes what comes to one port. Its zero value is ready.
type Service struct {
	Port       uint16         `toml:"port" comment:"I2P port; 0 gets what comes to any port that is not open by itself"`
	Kinds      []backend.Kind `toml:"kinds" comment:"kinds of datagram that are answered"`
	MaxStreams int            `toml:"max-streams" comment:"streams at a time, more are reset; -1 is none, and leaves the port to others"`
}

// SetDefaults implements backend.Settings.
func (s *Service) SetDefaults() {
	if len(s.Kinds) == 0 {
		s.Kinds = []backend.Kind{backend.Datagram, backend.Datagram2}
	}
	if s.MaxStreams == 0 {
		s.MaxStreams = 100
	}
}

// Check implements backend.Settings.
func (s Service) Check() error {
	for i, kind := range s.Kinds {
		if _, err := kind.MarshalText(); err != nil {
			return fmt.Errorf("echo: setting kinds: %w", err)
		}
		if slices.Contains(s.Kinds[:i], kind) {
			return fmt.Errorf("echo: setting kinds: %v is there twice, name each kind once", kind)
		}
	}
	return nil
}

// Serve echoes until ctx ends. It fails if a port cannot be opened.
func (s Service) Serve(ctx context.Context, node backend.Node) error {
	if err := s.Check(); err != nil {
		return err
	}
	s.SetDefaults()
	log := node.Logger().With("service", "echo")
	var services []backend.Service
	for _, kind := range s.Kinds {
		services = append(services, backend.Packets(kind, s.Port, func(_ context.Context, conn net.PacketConn) error {
			return echoPackets(conn, log.With("kind", kind.String()))
		}))
	}
	if s.MaxStreams > 0 {
		services = append(services, backend.Listener(s.Port, s.echoStreams))
	}
	if err := backend.Services(services...).Serve(ctx, node); err != nil {
		return fmt.Errorf("echo: %w", err)
	}
	return nil
}

// echoPackets answers until conn is closed.
func echoPackets(conn net.PacketConn, log *slog.Logger) error {
	buffer := make([]byte, datagram.MaxSize)
	for {
		n, from, err := conn.ReadFrom(buffer)
		if err != nil {
			return err
		}
		// Datagrams may be lost anywhere; one that cannot be sent is one of those.
		if _, err := conn.WriteTo(buffer[:n], from); err != nil {
			log.Debug("answer not sent", "error", err)
		}
	}
}

var (
	_ backend.Service  = Service{}
	_ backend.Settings = (*Service)(nil)
)
