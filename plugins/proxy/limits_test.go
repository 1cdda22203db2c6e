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

func TestLocations(t *testing.T) {
	tcp, unix := "http://127.0.0.1:8080", "unix:/run/app.sock"
	for _, test := range []struct{ target, spoof, from, to string }{
		{tcp, "", "http://127.0.0.1:8080/login?a=b#c", "/login?a=b#c"},
		{tcp, "", "http://localhost:8080", "/"},
		{tcp, "", "https://LocalHost/x", "/x"},
		{tcp, "", "//[::1]:8080/a%2Fb", "/a%2Fb"},
		{tcp, "", "http://0.0.0.0:8080/", "/"},
		{tcp, "", "http://127.0.0.1:8080//evil.com/", "/evil.com/"},
		{tcp, "", `http://127.0.0.1:8080/\evil.com`, "/%5Cevil.com"},
		{tcp, "", "http://127.0.0.1:7657/console", "http://127.0.0.1:7657/console"},
		{tcp, "", "http://other.i2p/", "http://other.i2p/"},
		{tcp, "", "/x", "/x"},
		{tcp, "", "x/../y", "x/../y"},
		{tcp, "", "://", "://"},
		{tcp, "shop.local", "http://shop.local/x", "/x"},
		{tcp, "shop.local:81", "http://SHOP.local:81/x", "/x"},
		{tcp, "shop.i2p", "http://shop.i2p/x", "http://shop.i2p/x"},
		{"http://10.0.0.5:8080", "", "http://10.0.0.5/x", "/x"},
		{"http://10.0.0.5:8080", "", "http://localhost:8080/x", "http://localhost:8080/x"},
		{unix, "", "http://localhost/x", "/x"},
		{unix, "", "http://localhost:7657/x", "http://localhost:7657/x"},
	} {
		parsed, err := parseTarget(test.target)
		if err != nil {
			t.Fatal(err)
		}
		p := &proxy{Service: Service{SpoofHost: test.spoof}, target: parsed}
		if got := p.relative(test.from); got != test.to {
			t.Errorf("%s %s: %q becomes %q, want %q", test.target, test.spoof, test.from, got, test.to)
		}
	}
	target := startTarget(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://"+r.Context().Value(http.LocalAddrContextKey).(net.Addr).String()+"/next", http.StatusFound)
	})
	if answer, _ := newWorld(t, &Service{Target: target.URL}).get("/"); answer.Header.Get("Location") != "/next" {
		t.Errorf("Location %q", answer.Header.Get("Location"))
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

func TestLimitsOfRequests(t *testing.T) {
	read := make(chan error, 1)
	target := startTarget(t, func(w http.ResponseWriter, r *http.Request) {
		_, err := io.Copy(io.Discard, r.Body)
		read <- err
	})
	w := newWorld(t, &Service{Target: target.URL, MaxBody: 1000})
	for _, test := range []struct {
		body   io.Reader
		status int
	}{
		{strings.NewReader(strings.Repeat("x", 1000)), http.StatusOK},
		{strings.NewReader(strings.Repeat("x", 1001)), http.StatusRequestEntityTooLarge},
		{io.MultiReader(strings.NewReader(strings.Repeat("x", 1001))), http.StatusRequestEntityTooLarge}, // chunked
	} {
		r, err := http.NewRequest("POST", "http://x/", test.body)
		if err != nil {
			t.Fatal(err)
		}
		if answer, _ := w.ask(r); answer.StatusCode != test.status {
			t.Errorf("%s, want %d", answer.Status, test.status)
		}
	}
	if err := <-read; err != nil {
		t.Errorf("1000 bytes: %v", err)
	}
	if err := <-read; err == nil {
		t.Error("the target has taken a body that was cut off")
	}
	if s := w.log.String(); s != "" {
		t.Errorf("the target is blamed:\n%s", s)
	}
}

func TestRefusals(t *testing.T) {
	target := startTarget(t, func(http.ResponseWriter, *http.Request) {})
	w := newWorld(t, &Service{Target: target.URL, RejectInproxy: true})
	for _, name := range inproxy {
		if answer, body := w.get("/", name+": x"); answer.StatusCode != http.StatusForbidden || !strings.Contains(body, "I2P only") {
			t.Errorf("%s: %s %q", name, answer.Status, body)
		}
	}
	if answer, _ := w.get("/"); answer.StatusCode != http.StatusOK {
		t.Errorf("without: %s", answer.Status)
	}
	conn := w.dial()
	io.WriteString(conn, "CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\r\n")
	if answer, err := http.ReadResponse(bufio.NewReader(conn), nil); err != nil || answer.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("CONNECT: %v, %v", answer, err)
	}
}

func TestMaxPerRemote(t *testing.T) {
	begun, end := make(chan bool), make(chan bool)
	target := startTarget(t, func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			begun <- true
			<-end
		}
	})
	w := newWorld(t, &Service{Target: target.URL, MaxPerRemote: 1})
	slow := w.dial()
	io.WriteString(slow, "GET /slow HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
	<-begun
	if answer, _ := w.get("/"); answer.StatusCode != http.StatusTooManyRequests || answer.Header.Get("Retry-After") == "" {
		t.Errorf("a second one: %v", answer)
	}
	close(end)
	io.Copy(io.Discard, slow)
	if answer, _ := w.get("/"); answer.StatusCode != http.StatusOK {
		t.Errorf("after that: %s", answer.Status)
	}
}
