package proxy

import (
	"bufio"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/onelease/onelease/internal/logtest"
)

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

// A visitor whose request does not arrive is no fault of the target's.
func TestRequestBreaksOff(t *testing.T) {
	target := startTarget(t, func(_ http.ResponseWriter, r *http.Request) { io.Copy(io.Discard, r.Body) })
	parsed, err := parseTarget(target.URL)
	if err != nil {
		t.Fatal(err)
	}
	var log logtest.Buffer
	p := &proxy{Service: Service{MaxBody: 100}, target: parsed, health: health{log: slog.New(slog.NewTextHandler(&log, nil))}}
	h := p.handler()
	defer h.close()
	r := httptest.NewRequest("POST", "/", iotest.ErrReader(os.ErrDeadlineExceeded))
	r.ContentLength = 9
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if w.Code != http.StatusBadRequest || log.String() != "" {
		t.Errorf("%d, log:\n%s", w.Code, log.String())
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
