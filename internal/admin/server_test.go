package admin

import (
	"compress/gzip"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// shown is a Snapshot with a check of each kind.
func shown(ready bool) *Snapshot {
	s := &Snapshot{Role: RoleSAM, Name: "it", Status: map[string]int{"streams": 3}}
	s.Need("router", ready, "session held", "no session")
	s.Advise("balancer", false, "", "away")
	Measure(s, "onelease_sam_streams", 3)
	MeasureIf(s, "onelease_sam_router_up", true, "a")
	return s
}

// since is what /readyz adds to what fails.
var since = regexp.MustCompile(`(?m) \(since [0-9:]+Z, 0 s\)$`)

// get asks a handler.
func get(h http.Handler, path string) (int, string) {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	return w.Code, w.Body.String()
}

func TestLine(t *testing.T) {
	for want, s := range map[string]*Snapshot{
		"ready; balancer: away":           shown(true),
		"not ready; router: no session":   shown(false),
		"ready: 3 streams":                {Brief: "3 streams"},
		"ready: 3 streams; router a: off": {Brief: "3 streams", Checks: []Check{{Name: "members", OK: true}, {Name: "router a", Text: "off", Advisory: true}}},
	} {
		if got := s.Line(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// A look at a node that is stuck fails, and does so again; one that is well has its line.
func TestLines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		free := make(chan struct{})
		look := Lines(func() *Snapshot { <-free; return shown(true) })
		for range 2 {
			if line, err := look(t.Context()); !errors.Is(err, errStuck) || line != "" {
				t.Errorf("stuck: %q, %v", line, err)
			}
		}
		close(free)
		if line, err := look(t.Context()); err != nil || line != "ready; balancer: away" {
			t.Errorf("well: %q, %v", line, err)
		}
	})
}

func TestHandler(t *testing.T) {
	for _, c := range []struct {
		ready      bool
		path, says string
		code       int
	}{
		{true, "/readyz", "[+] router: session held\n[!] balancer: away\n", 200},
		{false, "/readyz", "[-] router: no session\n[!] balancer: away\n", 503},
		{false, "/livez", "[+] process: it answers\n", 200},
		{false, "/status.json", `"ready": false`, 200},
		{true, "/status.json", `"streams": 3`, 200},
		{true, "/metrics", "onelease_sam_streams 3\n", 200},
		{true, "/metrics", `onelease_sam_router_up{router="a"} 1` + "\n", 200},
		{true, "/metrics", `onelease_node_info{name="it",role="sam"} 1` + "\n", 200},
		{true, "/metrics", "onelease_ready 1\n", 200},
		{false, "/metrics", `onelease_check_ok{check="router"} 0` + "\n", 200},
		{true, "/metrics", "# TYPE go_goroutines gauge\n", 200},
		{true, "/debug/pprof/goroutine?debug=1", "goroutine profile: total", 200},
		{true, "/", "<title>Onelease</title>", 200},
		{true, "/history.json", `"role":"sam"`, 200},
		{true, "/page.js", "status.json", 200},
		{true, "/charts.js", "history.json", 200},
		{true, "/page.css", "max-width", 200},
		{true, "/nothing", "404", 404},
	} {
		code, text := get(watched(t, func() *Snapshot { return shown(c.ready) }).Handler(), c.path)
		text = since.ReplaceAllString(text, "")
		if code != c.code || !strings.Contains(text, c.says) {
			t.Errorf("%s, ready %v: %d, want %d with %q: %.300s", c.path, c.ready, code, c.code, c.says, text)
		}
	}
}

// Nothing can be changed, and a metric that the table does not have is no metric.
func TestHandlerRefuses(t *testing.T) {
	h := watched(t, func() *Snapshot {
		s := shown(true)
		Measure(s, "onelease_invented", 1)
		return s
	}).Handler()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/status.json", nil))
	if w.Code != http.StatusMethodNotAllowed {
		t.Errorf("POST: %d", w.Code)
	}
	if code, text := get(h, "/metrics"); code != 500 || !strings.Contains(text, "onelease_invented") {
		t.Errorf("an invented metric: %d %.200s", code, text)
	}
}

// Who asks for the metrics at once gets them of one Snapshot, which none of them changes.
func TestMetricsAtOnce(t *testing.T) {
	free := make(chan struct{})
	s := shown(true)
	s.samples = append(make([]sample, 0, 16), s.samples...) // with room, as append leaves it
	w := watched(t, func() *Snapshot { <-free; return s })
	h := w.Handler()
	var asking sync.WaitGroup
	for range 4 {
		asking.Go(func() {
			if code, text := get(h, "/metrics"); code != 200 {
				t.Errorf("%d %s", code, text)
			}
		})
	}
	close(free)
	asking.Wait()
}

// A node whose locks are stuck is not alive, and is asked by one goroutine only, however
// many look.
func TestStuck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stuck := make(chan struct{})
		var calls atomic.Int32
		w := Watch(func() *Snapshot { calls.Add(1); <-stuck; return shown(true) })
		defer w.Close()
		h := w.Handler()
		for _, path := range []string{"/livez", "/readyz"} {
			began := time.Now()
			if code, text := get(h, path); code != 503 || !strings.Contains(text, "[-] process: ") || time.Since(began) != lookTime {
				t.Errorf("%s: %d after %v: %s", path, code, time.Since(began), text)
			}
		}
		if code, _ := get(h, "/metrics"); code != 500 || calls.Load() != 1 {
			t.Errorf("metrics: %d; the node was asked %d times", code, calls.Load())
		}
		close(stuck)
		synctest.Wait()
		if code, _ := get(h, "/livez"); code != 200 || calls.Load() != 2 {
			t.Errorf("when it goes on: %d, asked %d times", code, calls.Load())
		}
	})
}

// serve serves a ready node.
func serve(t *testing.T, c Config) *Endpoint {
	t.Helper()
	c.Logger = slog.New(slog.DiscardHandler)
	e, err := Open(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Serve(func() *Snapshot { return shown(true) }))
	return e
}

// Without a token it is for this machine, but not for a page whose name leads here.
func TestHost(t *testing.T) {
	e := serve(t, Config{Listen: "127.0.0.1:0"})
	for host, want := range map[string]int{"": 200, "localhost": 200, "[::1]:80": 200, "rebound.example": 403, "127.0.0.1.example:80": 403} {
		r, _ := http.NewRequest(http.MethodGet, "http://"+e.Addr()+"/status.json", nil)
		r.Host = host
		response, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != want {
			t.Errorf("host %q: %s, want %d", host, response.Status, want)
		}
	}
}

// certificate makes one for 127.0.0.1, and returns its files.
func certificate(t *testing.T) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "it"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return write(t, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), 0o644),
		write(t, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})), 0o600)
}

// With TLS and a token it tells nothing to who has not both.
func TestToken(t *testing.T) {
	cert, key := certificate(t)
	token, wrong := write(t, strings.Repeat("t", MinToken), 0o600), write(t, strings.Repeat("w", MinToken), 0o600)
	e := serve(t, Config{Listen: "0.0.0.0:0", TLSCert: cert, TLSKey: key, TokenFile: token})
	_, port, _ := net.SplitHostPort(e.Addr())
	addr := net.JoinHostPort("127.0.0.1", port)
	for name, c := range map[string]struct {
		client Client
		says   string
	}{
		"with both":   {Client{Addr: addr, TokenFile: token, CAFile: cert}, ""},
		"no token":    {Client{Addr: addr, CAFile: cert}, "wants a token"},
		"wrong token": {Client{Addr: addr, TokenFile: wrong, CAFile: cert}, "wants a token"},
		"in clear":    {Client{Addr: addr, TokenFile: token}, "400 Bad Request"},
	} {
		report, err := c.client.Report(context.Background())
		switch {
		case c.says == "" && (err != nil || !report.Ready || report.Name != "it"):
			t.Errorf("%s: %+v, %v", name, report, err)
		case c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says) || report.Role != ""):
			t.Errorf("%s: %v, want one that says %q; got %+v", name, err, c.says, report)
		}
	}
	h := e.guard(watched(t, func() *Snapshot { return shown(true) }).Handler())
	for _, path := range []string{"/metrics", "/livez", "/readyz", "/status.json", "/history.json", "/debug/pprof/", "/page.html", "/page/page.js", "/debug/pprof/profile"} {
		if code, text := get(h, path); code != 401 || strings.Contains(text, "onelease_") || strings.Contains(text, "session held") {
			t.Errorf("%s without a token: %d %s", path, code, text)
		}
	}
}

func TestClient(t *testing.T) {
	e := serve(t, Config{Listen: Unix + t.TempDir() + "/s"})
	report, err := (&Client{Addr: e.Addr()}).Report(context.Background())
	if err != nil || report.Role != RoleSAM || len(report.Checks) != 2 || !json.Valid(report.Status.(json.RawMessage)) {
		t.Errorf("by a socket: %+v, %v", report, err)
	}
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "hello") }))
	defer other.Close()
	for addr, want := range map[string]error{"here": ErrConfig, Unix + t.TempDir() + "/none": ErrNotRunning} {
		if _, err := (&Client{Addr: addr}).Report(context.Background()); !errors.Is(err, want) {
			t.Errorf("%s: %v", addr, err)
		}
	}
	if _, err := (&Client{Addr: other.Listener.Addr().String()}).Report(context.Background()); err == nil || !strings.Contains(err.Error(), "no admin address") {
		t.Errorf("another server: %v", err)
	}
}

// Who can unpack it gets the history packed.
func TestHistoryPacked(t *testing.T) {
	h := watched(t, func() *Snapshot { return shown(true) }).Handler()
	_, plain := get(h, "/history.json")
	r := httptest.NewRequest(http.MethodGet, "/history.json", nil)
	r.Header.Set("Accept-Encoding", "gzip, br")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	unpacked, err := gzip.NewReader(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(unpacked)
	if err != nil || w.Header().Get("Content-Encoding") != "gzip" || len(text) != len(plain) {
		t.Errorf("%v, %v: %s; in clear %s", err, w.Header(), text, plain)
	}
}
