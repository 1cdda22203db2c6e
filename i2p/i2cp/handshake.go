package i2cp

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"time"
)

// maxSkew is how far the specification lets the date of a session's
// configuration be from the router's clock ("Session Config").
const maxSkew = 30 * time.Second

// open connects to the router and says that I2CP follows.
func (c *Client) open(ctx context.Context) (*session, error) {
	ctx, cancel := context.WithTimeout(ctx, c.cfg.HandshakeTimeout)
	defer cancel()
	conn, err := c.dial(ctx)
	if err != nil {
		return nil, fmt.Errorf("%w at %s: %w: check that the router runs and that I2CP is enabled there",
			ErrUnreachable, c.cfg.Addr, err)
	}
	boundSendBuffer(conn)
	conn = quickAck(conn)
	if c.cfg.TLS != nil {
		if conn, err = c.secure(ctx, conn); err != nil {
			return nil, err
		}
	}
	s := newSession(c, conn)
	s.out.Append(func(b []byte) []byte { return append(b, ProtocolByte) })
	return s, nil
}

func (c *Client) dial(ctx context.Context) (net.Conn, error) {
	if c.cfg.Dial != nil {
		return c.cfg.Dial(ctx)
	}
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", c.cfg.Addr)
	if err == nil && c.cfg.TLS == nil && !isLoopback(conn.RemoteAddr()) {
		c.cfg.Logger.Warn("I2CP without TLS to another machine: private keys cross the network in the clear",
			"router", c.cfg.Addr)
	}
	return conn, err
}

func isLoopback(addr net.Addr) bool {
	tcp, ok := addr.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}

// secure puts TLS above conn, which it closes if that fails.
func (c *Client) secure(ctx context.Context, conn net.Conn) (net.Conn, error) {
	cfg := c.cfg.TLS.Clone()
	if host, _, err := net.SplitHostPort(c.cfg.Addr); err == nil && cfg.ServerName == "" {
		cfg.ServerName = host
	}
	secured := tls.Client(conn, cfg)
	if err := secured.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, fmt.Errorf("%w at %s: TLS: %w", ErrUnreachable, c.cfg.Addr, err)
	}
	return secured, nil
}

// handshake gets the router's date and makes the session.
func (s *session) handshake(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() { s.conn.Close() })
	defer stop()
	if err := s.greet(); err != nil {
		return err
	}
	if err := s.create(ctx); err != nil {
		return err
	}
	return s.conn.SetReadDeadline(time.Time{})
}

// greet gets the router's date.
func (s *session) greet() error {
	if err := s.sendFrame(s.getDate()); err != nil && !errors.Is(err, ErrNoSession) {
		return err
	} // and if the router has hung up already, reading says why
	body, err := s.await(TypeSetDate)
	if err != nil {
		return err
	}
	if err := s.handleDate(body); err != nil {
		return fmt.Errorf("%w: %w", ErrProtocol, err)
	}
	if skew := time.Duration(s.skew.Load()); skew.Abs() > maxSkew {
		s.client.cfg.Logger.Warn("the router's clock differs from ours: set both by NTP",
			"router", s.client.cfg.Addr, "ahead", skew.Round(time.Second))
	}
	return nil
}

// create sends the signed configuration and takes the router's verdict. There
// is one attempt per connection: after a second one i2pd has mixed up its
// sessions.
func (s *session) create(ctx context.Context) error {
	signed, err := s.client.cfg.SignedConfig(ctx)
	if err != nil {
		return fmt.Errorf("get a signed session configuration: %w", err)
	}
	config, err := ParseSessionConfig(signed)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrInvalidSession, err)
	}
	s.destination = config.Destination
	err = s.append(func(b []byte) ([]byte, error) { return AppendCreateSession(b, signed) })
	if err != nil && !errors.Is(err, ErrNoSession) {
		return err
	}
	body, err := s.await(TypeSessionStatus)
	if err != nil {
		return err
	}
	return s.created(body)
}

// created reads the router's answer to CreateSession.
func (s *session) created(body []byte) error {
	m, err := ParseSessionStatus(body)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrProtocol, err)
	}
	switch m.State {
	case SessionCreated:
		s.id = m.Session
		return nil
	case SessionInvalid:
		return fmt.Errorf("%w: its signature is bad, or another client of the router has a session for %s",
			ErrInvalidSession, s.destination.Base32())
	case SessionRefused:
		return ErrRefused
	}
	return fmt.Errorf("session %v after CreateSession: %w", m.State, ErrProtocol)
}

// await reads until a frame of the wanted type comes, and passes over others.
func (s *session) await(want MessageType) ([]byte, error) {
	s.conn.SetReadDeadline(time.Now().Add(s.client.cfg.HandshakeTimeout))
	for {
		kind, body, err := s.in.Next()
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			return nil, fmt.Errorf("%w: no %v from %s within %v", ErrUnresponsive, want, s.client.cfg.Addr, s.client.cfg.HandshakeTimeout)
		case err != nil:
			return nil, fmt.Errorf("wait for %v: %w", want, s.readError(err))
		case kind == want:
			return body, nil
		case kind == TypeDisconnect:
			return nil, disconnected(body)
		}
		s.client.counters.ignored.Add(1)
	}
}
