package pki

import (
	"context"
	"testing"

	"google.golang.org/grpc/credentials"

	"github.com/onelease/onelease/internal/memconn"
)

// gRPC changes the configs that it is given: ALPN, server name, ciphers.
func TestUnderGRPC(t *testing.T) {
	ca := newTestCA(t)
	b, f := node(t, ca, Balancer, "b1"), node(t, ca, Frontend, "f1")
	clientConn, serverConn := memconn.Pair("balancer")
	defer clientConn.Close()
	defer serverConn.Close()
	served := make(chan credentials.AuthInfo, 1)
	go func() {
		_, info, err := credentials.NewTLS(ServerTLS(Static(b))).ServerHandshake(serverConn)
		if err != nil {
			t.Error(err)
			serverConn.Close()
		}
		served <- info
	}()
	_, info, err := credentials.NewTLS(ClientTLS(Static(f), Balancer, "b1")).ClientHandshake(context.Background(), "10.0.0.1:7650", clientConn)
	if err != nil {
		t.Fatal(err)
	}
	for want, info := range map[Identity]credentials.AuthInfo{b.Identity(): info, f.Identity(): <-served} {
		tlsInfo, ok := info.(credentials.TLSInfo)
		if got, known := PeerIdentity(tlsInfo.State); !ok || !known || got != want {
			t.Errorf("gRPC knows the peer as %v, %v; want %v", got, known, want)
		}
	}
}
