package backend

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/onelease/onelease/backend/backendtest"
	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/sam"
	"github.com/onelease/onelease/i2p/streaming"
)

// greet has a remote accept streams on a port, to which it says hello.
func greet(t *testing.T, remote *backendtest.StreamRemote, port uint16) {
	t.Helper()
	ln, err := remote.Stack.Listen(port)
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			io.WriteString(c, "hello")
			c.Close()
		}
	}()
}

func TestDialByName(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newStreamRig(t, 2, nil)
		defer r.stop()
		remote := r.net.NewRemote(1, false)
		greet(t, remote, 80)
		greet(t, remote, 0)
		b32, b64 := remote.Destination.Base32(), remote.Destination.Base64()
		r.frontends[1].Name("peer.i2p", remote.Destination) // the first does not find it
		for _, c := range []struct{ network, address string }{
			{"", "peer.i2p:80"}, {"i2p", b32 + ":80"}, {"tcp", b64 + ":80"}, {"", b32}, {"", strings.ToUpper(b32) + ":80"},
			{"", (&Addr{Hash: remote.Destination.Hash(), Port: 80}).String()},
		} {
			conn, err := r.host.DialContext(t.Context(), c.network, c.address)
			if err != nil {
				t.Errorf("%q %.20q: %v", c.network, c.address, err)
				continue
			}
			if b, err := io.ReadAll(conn); err != nil || string(b) != "hello" {
				t.Errorf("%q %.20q: read %q, %v", c.network, c.address, b, err)
			}
			conn.Close()
		}
	})
}

func TestDialFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newStreamRig(t, 2, nil)
		defer r.stop()
		remote := r.net.NewRemote(1, false)
		r.frontends[0].Name("closed.i2p", remote.Destination)
		gone := newKeys(t).Destination
		other := newKeys(t).Destination
		r.frontends[0].Name(other.Base32(), remote.Destination)
		for address, want := range map[string]error{
			"closed.i2p:80":                streaming.ErrRefused,
			"unknown.i2p:80":               sam.ResultKeyNotFound,
			gone.Base64() + ":80":          sam.ResultKeyNotFound,
			other.Base32():                 i2p.ErrInvalid, // the answer is of another
			"peer.i2p:70000":               i2p.ErrInvalid,
			"x.b32.i2p":                    i2p.ErrInvalid,
			gone.Base64()[:520]:            i2p.ErrTruncated,
			strings.Repeat("a", 520):       i2p.ErrInvalid,
			strings.Repeat("a", 56) + ":1": sam.ResultKeyNotFound, // a host name, if a strange one
		} {
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
			_, err := r.host.DialContext(ctx, "", address)
			cancel()
			var op *net.OpError
			if !errors.Is(err, want) || !errors.As(err, &op) {
				t.Errorf("%.30q: %v, want %v", address, err, want)
			}
		}
		if _, err := r.host.DialContext(t.Context(), "udp", "x.i2p"); !errors.As(err, new(net.UnknownNetworkError)) {
			t.Errorf("network udp: %v", err)
		}
	})
}

func TestDialWaitsForAFrontend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newStreamRig(t, 1, nil)
		defer r.stop()
		remote := r.net.NewRemote(0, false)
		greet(t, remote, 80)
		r.frontends[0].Name("peer.i2p", remote.Destination)
		r.frontends[0].Kill()
		synctest.Wait()
		start := time.Now()
		if _, err := r.host.DialContext(t.Context(), "", "peer.i2p:80"); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != dialTimeout {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		time.AfterFunc(10*time.Second, r.frontends[0].Up)
		conn, err := r.host.DialContext(t.Context(), "", "peer.i2p:80")
		if err != nil {
			t.Fatal(err)
		}
		conn.Close()
	})
}

func TestHTTP(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newStreamRig(t, 2, nil)
		defer r.stop()
		body := string(seeded(300_000))
		server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			sent, _ := io.ReadAll(r.Body)
			io.WriteString(w, body+string(sent))
		})}
		defer server.Close()
		remote := r.net.NewRemote(1, false)
		r.frontends[0].Name("peer.i2p", remote.Destination)
		near, err := r.host.Listen(80)
		if err != nil {
			t.Fatal(err)
		}
		far, err := remote.Stack.Listen(80)
		if err != nil {
			t.Fatal(err)
		}
		go server.Serve(near)
		go server.Serve(far)
		for name, dial := range map[string]func(context.Context, string, string) (net.Conn, error){
			"client": r.host.DialContext,
			"server": func(ctx context.Context, _, _ string) (net.Conn, error) {
				return remote.Stack.Dial(ctx, streaming.NewRemote(r.keys.Destination), 0, 80)
			},
		} {
			transport := &http.Transport{DialContext: dial}
			client := http.Client{Transport: transport}
			response, err := client.Post("http://peer.i2p/", "text/plain", strings.NewReader("and this"))
			if err != nil {
				t.Fatalf("as %s: %v", name, err)
			}
			got, err := io.ReadAll(response.Body)
			response.Body.Close()
			if err != nil || string(got) != body+"and this" {
				t.Errorf("as %s: %d bytes, %v", name, len(got), err)
			}
			transport.CloseIdleConnections()
		}
	})
}
