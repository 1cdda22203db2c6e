package backend

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/onelease/onelease/backend/backendtest"
	"github.com/onelease/onelease/i2p/streaming"
)

// dial begins a stream of remote to a port of r's Destination.
func (r *streamRig) dial(remote *backendtest.StreamRemote, port uint16) net.Conn {
	r.t.Helper()
	conn, err := remote.Stack.Dial(r.t.Context(), streaming.NewRemote(r.keys.Destination), 0, port)
	if err != nil {
		r.t.Fatal(err)
	}
	return conn
}

// browser is an HTTP client that is at remote.
func (r *streamRig) browser(remote *backendtest.StreamRemote) *http.Client {
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return remote.Stack.Dial(ctx, streaming.NewRemote(r.keys.Destination), 0, 80)
	}}
	r.t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

// fetch returns the body of an answer.
func fetch(t *testing.T, client *http.Client, path string) (*http.Response, string) {
	t.Helper()
	answer, err := client.Get("http://site.i2p" + path)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer, string(body)
}

func TestHTTPRequestsCarryTheirRemote(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newStreamRig(t, 1, nil)
		defer r.stop()
		stop := r.serve(HTTP(80, http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			fmt.Fprint(w, req.RemoteAddr, " ", RemoteOf(req.Context()).Destination.Base64())
		})))
		remote := r.net.NewRemote(0, false)
		browser := r.browser(remote)
		for range 2 {
			answer, body := fetch(t, browser, "/")
			addr, dest, _ := strings.Cut(body, " ")
			if !strings.HasPrefix(addr, remote.Destination.Base32()+":") || dest != remote.Destination.Base64() {
				t.Errorf("the remote is %.80s", body)
			}
			if date, ok := answer.Header["Date"]; ok {
				t.Errorf("the answer is dated %q", date)
			}
		}
		if s := r.host.Stats(); s.Streams.Accepted != 1 {
			t.Errorf("%d streams for two requests", s.Streams.Accepted)
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
		if RemoteOf(t.Context()) != nil {
			t.Error("a remote from nowhere")
		}
	})
}

// A response that is under way when the service is told to end arrives whole,
// what is idle is closed, and nothing new is taken.
func TestHTTPDrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const size = 200 << 10
		begun := make(chan bool)
		slow := HTTP(80, http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			if req.URL.Path == "/slow" {
				close(begun)
				time.Sleep(20 * time.Second)
				w.Write(seeded(size))
			}
		}))
		r := newStreamRig(t, 1, nil)
		defer r.stop()
		idle := r.browser(r.net.NewRemote(0, false))
		stop := r.serve(slow)
		fetch(t, idle, "/")
		remote := r.net.NewRemote(0, false)
		got := make(chan string)
		go func() {
			_, body := fetch(t, r.browser(remote), "/slow")
			got <- body
		}()
		<-begun
		ended := make(chan error)
		go func() { ended <- stop() }()
		time.Sleep(10 * time.Second)
		if open := r.host.Stats().Streams.Open; open != 1 {
			t.Errorf("%d streams while one request is in flight", open)
		}
		if _, err := remote.Stack.Dial(t.Context(), streaming.NewRemote(r.keys.Destination), 0, 80); !errors.Is(err, streaming.ErrRefused) {
			t.Errorf("a new stream: %v", err)
		}
		if err := <-ended; err != nil {
			t.Error(err)
		}
		r.host.settle(time.Minute)
		if body := <-got; body != string(seeded(size)) {
			t.Errorf("%d bytes of the response, want %d", len(body), size)
		}
	})
}

// Run ends a service and its Host without cutting off what the service wrote.
func TestRunLetsResponsesArrive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := makeRig(t, 1, nil).withNet()
		defer r.stop()
		const size = 100 << 10
		ctx, cancel := context.WithCancel(t.Context())
		service := HTTP(80, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Write(seeded(size))
			cancel()
		}))
		done := make(chan error, 1)
		go func() { done <- Run(ctx, r.host, service) }()
		synctest.Wait()
		_, body := fetch(t, r.browser(r.net.NewRemote(0, false)), "/")
		if body != string(seeded(size)) {
			t.Errorf("%d bytes of the response, want %d", len(body), size)
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func TestHTTPCutsOffWhatNeverEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newStreamRig(t, 1, nil)
		defer r.stop()
		begun := make(chan bool)
		stop := r.serve(HTTP(80, http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
			close(begun)
			<-req.Context().Done()
		})))
		conn := r.dial(r.net.NewRemote(0, false), 80)
		io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
		<-begun
		told := time.Now()
		if err := stop(); err == nil || time.Since(told) != defaultEnding {
			t.Errorf("ended after %v: %v", time.Since(told), err)
		}
	})
}

func TestHTTPEndsSlowRequests(t *testing.T) {
	for name, test := range map[string]struct {
		request string
		after   time.Duration
	}{
		"header": {"GET / HTTP/1.1\r\nHost:", headerTimeout},
		"idle":   {"GET / HTTP/1.1\r\nHost: x\r\n\r\n", keepAlive},
		"body":   {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf", bodyPause},
		"unread": {"POST /unread HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf", bodyPause},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newStreamRig(t, 1, nil)
				defer r.stop()
				stop := r.serve(HTTP(80, http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
					if req.URL.Path == "/unread" {
						return
					}
					if _, err := io.ReadAll(req.Body); err != nil {
						panic(http.ErrAbortHandler)
					}
				})))
				conn := r.dial(r.net.NewRemote(0, false), 80)
				io.WriteString(conn, test.request)
				began := time.Now()
				io.Copy(io.Discard, conn)
				if took := time.Since(began); took < test.after || took > test.after+5*time.Second {
					t.Errorf("ended after %v, want %v", took, test.after)
				}
				conn.Close()
				if err := stop(); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// A long body that does move is not ended, and the connection is good afterwards.
func TestHTTPTakesLongBodies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newStreamRig(t, 1, nil)
		defer r.stop()
		stop := r.serve(HTTP(80, http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			body, err := io.ReadAll(req.Body)
			req.Body.Read(make([]byte, 1)) // as some do, to be sure
			time.Sleep(2 * bodyPause)
			fmt.Fprint(w, string(body), err, req.Context().Err())
		})))
		conn := r.dial(r.net.NewRemote(0, false), 80)
		io.WriteString(conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n")
		for _, b := range "hello" {
			time.Sleep(bodyPause - time.Second)
			io.WriteString(conn, string(b))
		}
		answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		if body, _ := io.ReadAll(answer.Body); string(body) != "hello<nil> <nil>" {
			t.Errorf("got %q", body)
		}
		conn.Close()
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

func TestHTTPLogsNoRemotes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		r := newStreamRig(t, 1, func(c *Config) { c.Logger = slog.New(slog.NewTextHandler(&log, nil)) })
		stop := r.serve(HTTP(80, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("oh no") })))
		remote := r.net.NewRemote(0, false)
		if answer, err := r.browser(remote).Get("http://x.i2p/"); err == nil {
			t.Errorf("answer %v to a panic", answer.Status)
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
		r.stop()
		if s := log.String(); !strings.Contains(s, "oh no") || strings.Contains(s, ".b32.i2p") {
			t.Errorf("log: %s", s)
		}
	})
}

func TestHTTPFailsOnATakenPort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newStreamRig(t, 1, nil)
		defer r.stop()
		both := Services(HTTP(80, http.NotFoundHandler()), HTTP(80, http.NotFoundHandler()))
		if err := both.Serve(t.Context(), r.host); !errors.Is(err, streaming.ErrPortInUse) {
			t.Errorf("got %v", err)
		}
	})
}
