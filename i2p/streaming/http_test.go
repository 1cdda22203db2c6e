package streaming

import (
	"context"
	"io"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"
)

func TestHTTP(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWire(3)
		client, server := w.add(t, Config{}), w.add(t, Config{})
		w.loss, w.jitter = 0.03, 10*time.Millisecond
		ln, err := server.Listen(0)
		if err != nil {
			t.Fatal(err)
		}
		serving := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			w.Write(body)
		})}
		go serving.Serve(ln)
		transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return client.Dial(ctx, server.remote, 0, 80)
		}}
		for i := range 5 {
			const size = 300 << 10
			answer, err := (&http.Client{Transport: transport}).Post("http://x.i2p/", "text/plain", noise(byte(i), size))
			if err != nil {
				t.Fatal(err)
			}
			n, got, err := sink(answer.Body)
			answer.Body.Close()
			if _, want, _ := sink(noise(byte(i), size)); err != nil || n != size || got != want {
				t.Fatalf("answer of %d bytes, %v", n, err)
			}
		}
		if dialled := client.Stats().Dialled; dialled != 1 {
			t.Errorf("%d streams for 5 requests: they are not reused", dialled)
		}
		transport.CloseIdleConnections()
		serving.Close()
		time.Sleep(time.Minute)
		if open := client.Stats().Open + server.Stats().Open; open != 0 {
			t.Errorf("%d streams are left open", open)
		}
	})
}
