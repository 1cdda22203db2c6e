package proxy

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/textproto"
	"path/filepath"
	"strings"
	"testing"

	"github.com/onelease/onelease/i2p"
)

// startTarget is an HTTP server on this host.
func startTarget(t *testing.T, handle http.HandlerFunc) *httptest.Server {
	server := httptest.NewServer(handle)
	t.Cleanup(server.Close)
	return server
}

// rawTarget answers the first request with what it is given, and returns the bytes
// of the request's header.
func rawTarget(t *testing.T, answer string) (url string, got <-chan string) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	requests := make(chan string, 1)
	done := make(chan struct{})
	go func() {
		defer close(done)
		conn, err := ln.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		var header strings.Builder
		for in := bufio.NewReader(conn); !strings.HasSuffix(header.String(), "\r\n\r\n"); {
			b, err := in.ReadByte()
			if err != nil {
				return
			}
			header.WriteByte(b)
		}
		requests <- header.String()
		io.WriteString(conn, answer)
	}()
	t.Cleanup(func() {
		ln.Close()
		<-done
	})
	return "http://" + ln.Addr().String(), requests
}

// The bytes that a target gets from a visitor who claims to be all sorts of people.
func TestRequestHeaders(t *testing.T) {
	target, got := rawTarget(t, "HTTP/1.1 204 No Content\r\n\r\n")
	w := newWorld(t, &Service{Target: target})
	w.get("/a%2Fb?c;d=%zz",
		"X-I2P-DestHash: me", "X-I2p-DestB32: me", "x-i2p-destb64: me", "X-I2P-Other: me", "X_I2P_DestB32: me", "X-I2P_DestHash: me",
		"Connection: X-I2P-DestHash, X-I2P-DestB32, X-Listed", "X-Listed: me",
		"X-Forwarded-For: me", "x-forwarded-proto: me", "X_Forwarded_For: me", "X-Forwarded-Anything: me", "Forwarded: me", "Via: me",
		"X-Real-IP: me", "CF-Connecting-IP: me", "X-Original-URL: me", "Remote-User: me", "X-WebAuth-User: me", "Proxy: me",
		"X-Accept-Encoding: x-i2p-gzip;q=1.0", "Accept-Encoding: br, x-i2p-gzip", "User-Agent: MYOB/6.66", "Cookie: a=b",
	)
	want := "GET /a%2Fb?c;d=%zz HTTP/1.1\r\n" +
		"Host: site.i2p\r\n" +
		"User-Agent: MYOB/6.66\r\n" +
		"Accept-Encoding: br, x-i2p-gzip\r\n" +
		"Cookie: a=b\r\n" +
		"X-I2P-DestB32: " + w.remote.Hash.Base32() + "\r\n" +
		"X-I2P-DestB64: " + w.remote.Destination.Base64() + "\r\n" +
		"X-I2P-DestHash: " + i2p.Base64.EncodeToString(w.remote.Hash[:]) + "\r\n\r\n"
	if header := <-got; header != want {
		t.Errorf("the target got\n%s\nwant\n%s", header, want)
	}
}

func TestSpoofHost(t *testing.T) {
	target := startTarget(t, func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.Host) })
	for spoof, want := range map[string]string{"": "site.i2p", "shop.local:8080": "shop.local:8080"} {
		if _, body := newWorld(t, &Service{Target: target.URL, SpoofHost: spoof}).get("/"); body != want {
			t.Errorf("%q: Host is %q, want %q", spoof, body, want)
		}
	}
}

// What a visitor sees of a target that tells all about itself.
func TestResponseHeaders(t *testing.T) {
	target := startTarget(t, func(w http.ResponseWriter, _ *http.Request) {
		for name := range responseNames {
			w.Header().Set(name, "telltale")
		}
		w.Header().Set("Date", "Mon, 02 Jan 2006 15:04:05 GMT")
		w.Header().Set("Link", "</style.css>")
		w.WriteHeader(http.StatusEarlyHints)
		w.Header().Set("Expires", "Mon, 02 Jan 2006 15:05:05 GMT")
		w.Header().Set("Content-Type", "text/plain")
		fmt.Fprint(w, "page")
	})
	w := newWorld(t, &Service{Target: target.URL})
	r, err := http.NewRequest("GET", "http://site.i2p/", nil)
	if err != nil {
		t.Fatal(err)
	}
	hints := 0
	r = r.WithContext(httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{
		Got1xxResponse: func(code int, header textproto.MIMEHeader) error {
			hints++
			if len(header) != 1 || code != http.StatusEarlyHints {
				t.Errorf("%d with %v", code, header)
			}
			return nil
		},
	}))
	answer, body := w.ask(r)
	want := http.Header{"Content-Type": {"text/plain"}, "Content-Length": {"4"}, "Link": {"</style.css>"},
		"Cache-Control": {"max-age=60"}}
	if fmt.Sprint(answer.Header) != fmt.Sprint(want) || body != "page" || hints != 1 {
		t.Errorf("header\n%v, want\n%v; body %q, %d hints", answer.Header, want, body, hints)
	}
}

func TestExpire(t *testing.T) {
	const date = "Mon, 02 Jan 2006 15:04:05 GMT"
	now, _ := http.ParseTime("Mon, 02 Jan 2006 15:04:00 GMT")
	for _, test := range []struct{ expires, date, control, want string }{
		{"Mon, 02 Jan 2006 16:04:05 GMT", date, "", "max-age=3600"},
		{"Mon, 02 Jan 2006 16:04:05 GMT", "", "private", "private, max-age=3605"},
		{"Mon, 02 Jan 2006 16:04:05 GMT", date, "no-store", "no-store"},
		{"Mon, 02 Jan 2006 16:04:05 GMT", date, "public, Max-Age=5", "public, Max-Age=5"},
		{"Thu, 01 Jan 1970 00:00:00 GMT", date, "", "max-age=0"},
		{"0", date, "", "max-age=0"},
	} {
		h := http.Header{"Expires": {test.expires}}
		if test.date != "" {
			h.Set("Date", test.date)
		}
		if test.control != "" {
			h.Set("Cache-Control", test.control)
		}
		expire(h, now)
		if got := strings.Join(h["Cache-Control"], ", "); got != test.want || h["Expires"] != nil {
			t.Errorf("%+v: %q", test, got)
		}
	}
}

func TestUpgrade(t *testing.T) {
	target := startTarget(t, func(w http.ResponseWriter, r *http.Request) {
		conn, both, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		fmt.Fprintf(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: %s\r\nServer: x\r\nDate: x\r\n\r\n%s",
			r.Header.Get("Upgrade"), r.Header.Get(headerB32))
		io.Copy(conn, both)
	})
	w := newWorld(t, &Service{Target: target.URL})
	conn := w.dial()
	io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
	in := bufio.NewReader(conn)
	answer, err := http.ReadResponse(in, nil)
	if err != nil || answer.StatusCode != http.StatusSwitchingProtocols || len(answer.Header) != 2 {
		t.Fatalf("%v, %v", answer, err)
	}
	io.WriteString(conn, "hello")
	want := w.remote.Hash.Base32() + "hello"
	got := make([]byte, len(want))
	if _, err := io.ReadFull(in, got); err != nil || string(got) != want {
		t.Errorf("%q, %v", got, err)
	}
	conn.Close()
}

func TestUnixTarget(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "app.sock")
	ln, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.Host, r.URL.Path) })}
	go server.Serve(ln)
	defer server.Close()
	if _, body := newWorld(t, &Service{Target: "unix:" + socket}).get("/x"); body != "site.i2p/x" {
		t.Errorf("got %q", body)
	}
}
