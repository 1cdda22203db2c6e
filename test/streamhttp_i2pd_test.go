package test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"testing"
	"time"
)

// checkHTTPServer has net/http serve on our listener, and be asked through i2pd.
func (x *interop) checkHTTPServer(t *testing.T) {
	checkHTTP(t, newHandedListener(x.conns), func(ctx context.Context, _, _ string) (net.Conn, error) {
		return x.stock.Dial(ctx, x.ours.dest)
	})
}

// checkHTTPClient has net/http ask by our dialer, and serve through i2pd.
func (x *interop) checkHTTPClient(t *testing.T) {
	checkHTTP(t, newHandedListener(x.stockConns), func(ctx context.Context, _, _ string) (net.Conn, error) {
		return x.ours.node.Host().DialContext(ctx, "i2p", x.stock.Destination())
	})
}

// checkHTTP echoes bodies over HTTP, on connections that are kept and on some
// that are closed after the answer.
func checkHTTP(t *testing.T, ln net.Listener, dial func(ctx context.Context, network, address string) (net.Conn, error)) {
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body) // HTTP/1 cannot echo while it reads
		_, _ = w.Write(body)
	})}
	go func() { _ = server.Serve(ln) }()
	defer server.Close()
	for _, keep := range []bool{true, false} {
		transport := &http.Transport{DialContext: dial, DisableKeepAlives: !keep}
		client := &http.Client{Transport: transport, Timeout: time.Minute}
		for n := range 3 {
			if err := echoHTTP(client, 200_000+n); err != nil {
				t.Errorf("kept connection %v, request %d: %v", keep, n, err)
			}
		}
		transport.CloseIdleConnections()
	}
}

// echoHTTP posts a body of that size and wants it back.
func echoHTTP(client *http.Client, size int) error {
	body := make([]byte, size)
	_, _ = rand.NewChaCha8([32]byte{byte(size)}).Read(body) // never fails
	response, err := client.Post("http://service.i2p/", "application/octet-stream", bytes.NewReader(body))
	if err != nil {
		return err
	}
	defer response.Body.Close()
	got, err := io.ReadAll(response.Body)
	if err != nil {
		return fmt.Errorf("after %d of %d bytes: %w", len(got), size, err)
	}
	if !bytes.Equal(got, body) {
		return fmt.Errorf("got %d bytes back that are not the %d that were sent", len(got), size)
	}
	return nil
}
