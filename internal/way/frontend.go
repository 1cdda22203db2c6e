package way

import (
	"context"
	"crypto/tls"
	"net"
)

// ToFrontend is how a backend reaches the frontend at addr: in the clear on the
// loopback, and by TLS where it may be on another machine. dial connects in place
// of TCP if it is not nil.
func ToFrontend(addr string, dial func(ctx context.Context, addr string) (net.Conn, error), secure *tls.Config) func(context.Context) (net.Conn, error) {
	if dial == nil {
		dial = func(ctx context.Context, addr string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "tcp", addr)
		}
	}
	if Loopback(addr) {
		return func(ctx context.Context) (net.Conn, error) { return dial(ctx, addr) }
	}
	return func(ctx context.Context) (net.Conn, error) {
		raw, err := dial(ctx, addr)
		if err != nil {
			return nil, err
		}
		conn := tls.Client(raw, secure)
		if err := conn.HandshakeContext(ctx); err != nil {
			raw.Close()
			return nil, err
		}
		return conn, nil
	}
}
