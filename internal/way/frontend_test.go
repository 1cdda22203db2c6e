package way

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"testing"
)

// TestToFrontend: what may cross a network does so by TLS.
func TestToFrontend(t *testing.T) {
	const handshake = 22 // the type of a TLS record
	for addr, secure := range map[string]bool{"127.0.0.1:7670": false, "[::1]:7670": false, "10.0.0.1:7670": true, "router.example:7670": true} {
		asked, first := "", make(chan byte, 1)
		dial := func(_ context.Context, to string) (net.Conn, error) {
			client, server := net.Pipe()
			asked = to
			go func() {
				defer server.Close()
				b := make([]byte, 1)
				_, _ = io.ReadFull(server, b)
				first <- b[0]
			}()
			return client, nil
		}
		conn, err := ToFrontend(addr, dial, &tls.Config{ServerName: "frontend"})(t.Context())
		if err == nil {
			_, _ = conn.Write([]byte("HELLO"))
			conn.Close()
		}
		if got := <-first == handshake; got != secure || (err == nil) == secure || asked != addr {
			t.Errorf("%s: TLS %v, %v, asked for %s", addr, got, err, asked)
		}
	}
}
