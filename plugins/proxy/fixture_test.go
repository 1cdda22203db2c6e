package proxy

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/onelease/onelease/backend"
	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/internal/logtest"
)

// A world is a Service that serves, and a remote that asks it. The targets are
// real sockets, so the streams are sockets too.
type world struct {
	t      testing.TB
	log    logtest.Buffer
	remote *i2p.Addr
	addr   string
	end    context.CancelFunc
	ended  chan error
}

func newWorld(t testing.TB, s *Service) *world {
	t.Helper()
	keys, err := i2p.GenerateKeys()
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, remote: i2p.NewAddr(keys.Destination, 4321), addr: ln.Addr().String(), ended: make(chan error, 1)}
	ctx, cancel := context.WithCancel(context.Background())
	w.end = cancel
	go func() { w.ended <- s.Serve(ctx, node{Node: nil, w: w, ln: ln}) }()
	t.Cleanup(func() {
		cancel()
		if err := <-w.ended; err != nil {
			t.Errorf("Serve: %v", err)
		}
		if strings.Contains(w.log.String(), w.remote.Hash.Base32()) {
			t.Errorf("the log names the remote:\n%s", w.log.String())
		}
	})
	return w
}

// A node has one port, which is ln.
type node struct {
	backend.Node
	w  *world
	ln net.Listener
}

func (n node) Listen(uint16) (net.Listener, error) { return listener{n.ln, n.w}, nil }

func (n node) Logger() *slog.Logger { return slog.New(slog.NewTextHandler(&n.w.log, nil)) }

type listener struct {
	net.Listener
	w *world
}

func (l listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return stream{c.(*net.TCPConn), l.w}, nil
}

// A stream is a socket with the address of a remote.
type stream struct {
	*net.TCPConn
	w *world
}

func (s stream) RemoteAddr() net.Addr { return s.w.remote }

func (s stream) Reset() error { return s.SetLinger(0) }

// dial begins a stream.
func (w *world) dial() *net.TCPConn {
	w.t.Helper()
	conn, err := net.Dial("tcp", w.addr)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { conn.Close() })
	return conn.(*net.TCPConn)
}

// ask sends a request and returns the response with its body.
func (w *world) ask(r *http.Request) (*http.Response, string) {
	w.t.Helper()
	r.URL.Scheme, r.URL.Host, r.RequestURI = "http", w.addr, ""
	client := &http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true, DisableCompression: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	answer, err := client.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return answer, string(body)
}

func (w *world) get(path string, header ...string) (*http.Response, string) {
	w.t.Helper()
	r, err := http.NewRequest("GET", "http://site.i2p"+path, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, line := range header {
		name, value, _ := strings.Cut(line, ": ")
		r.Header[name] = append(r.Header[name], value)
	}
	return w.ask(r)
}
