package guest

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"testing"

	"github.com/hashicorp/yamux"

	"github.com/onelease/onelease/internal/pki"
)

// BenchmarkStream sends what SAM writes for a packet there and back through TLS on the
// loopback, bare and as a stream of a backend's connection.
func BenchmarkStream(b *testing.B) {
	for _, mux := range []bool{false, true} {
		name := map[bool]string{false: "bare", true: "stream"}[mux]
		b.Run(name, func(b *testing.B) { benchStream(b, mux) })
	}
}

func benchStream(b *testing.B, mux bool) {
	near, far := tlsPair(b)
	if mux {
		near, far = muxPair(b, near, far)
	}
	go func() { _, _ = io.Copy(struct{ io.Writer }{far}, struct{ io.Reader }{far}) }()
	packet := make([]byte, 1400)
	b.SetBytes(int64(len(packet)))
	b.ReportAllocs()
	done := make(chan error, 1)
	b.ResetTimer()
	go func() {
		_, err := io.CopyN(struct{ io.Writer }{io.Discard}, near, int64(b.N*len(packet)))
		done <- err
	}()
	for range b.N {
		if _, err := near.Write(packet); err != nil {
			b.Fatal(err)
		}
	}
	if err := <-done; err != nil {
		b.Fatal(err)
	}
}

func tlsPair(b *testing.B) (near, far net.Conn) {
	b.Helper()
	ca := newCA(b)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer ln.Close()
	accepted := make(chan net.Conn, 1)
	go func() {
		conn, _ := ln.Accept()
		accepted <- conn
	}()
	raw, err := new(net.Dialer).DialContext(b.Context(), "tcp", ln.Addr().String())
	if err != nil {
		b.Fatal(err)
	}
	server := tls.Server(<-accepted, pki.DemandTLS(node(b, ca, pki.Frontend, "router-1"), []pki.Role{pki.Backend}, ALPN))
	client := tls.Client(raw, pki.ClientTLS(node(b, ca, pki.Backend, "sam-1"), pki.Frontend, "", ALPN))
	go func() { _ = server.HandshakeContext(context.Background()) }() // the client's tells of failure
	if err := client.HandshakeContext(b.Context()); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { client.Close(); server.Close() })
	return client, server
}

func muxPair(b *testing.B, a, z net.Conn) (near, far net.Conn) {
	b.Helper()
	client, err := yamux.Client(a, muxConfig())
	if err != nil {
		b.Fatal(err)
	}
	server, err := yamux.Server(z, muxConfig())
	if err != nil {
		b.Fatal(err)
	}
	opened, err := client.OpenStream()
	if err != nil {
		b.Fatal(err)
	}
	accepted, err := server.AcceptStream()
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { client.Close(); server.Close() })
	return stream{opened}, stream{accepted}
}
