// Package way is how frontends and backends reach the balancers: in memory, by
// mutual TLS, or in the clear within a machine.
package way

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/netip"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
)

// A Way leads to balancers. Its zero value is TCP in the clear.
type Way struct {
	// Dial connects in place of TCP.
	Dial func(ctx context.Context, addr string) (net.Conn, error)
	// TLS, if set, is used above the connection.
	TLS *tls.Config
}

// Reaches reports whether addr may be connected to: not in the clear over a network.
func (w Way) Reaches(addr string) bool {
	return w.Dial != nil || w.TLS != nil || Loopback(addr)
}

// buffer is how much of a control link's messages is read and written at once, in bytes:
// they are short and few, and there may be thousands of links. gRPC takes 32 KiB
// for each direction and end.
const buffer = 4 << 10

// ServerBuffers are those of a server of control links.
func ServerBuffers() []grpc.ServerOption {
	return []grpc.ServerOption{grpc.ReadBufferSize(buffer), grpc.WriteBufferSize(buffer)}
}

// Connect makes a connection to addr that is opened when it is first used.
func (w Way) Connect(addr string) (*grpc.ClientConn, error) {
	secure := insecure.NewCredentials()
	if w.TLS != nil {
		secure = credentials.NewTLS(w.TLS)
	}
	dial := w.Dial
	if dial == nil {
		dial = func(ctx context.Context, addr string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "tcp", addr)
		}
	}
	conn, err := grpc.NewClient("passthrough:///"+addr,
		grpc.WithTransportCredentials(secure), grpc.WithContextDialer(dial),
		grpc.WithReadBufferSize(buffer), grpc.WithWriteBufferSize(buffer),
		grpc.WithIdleTimeout(0), grpc.WithNoProxy())
	if err != nil {
		return nil, fmt.Errorf("balancer %s: %w", addr, err)
	}
	return conn, nil
}

// Loopback reports whether addr, "host:port", is surely on the loopback.
func Loopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}
