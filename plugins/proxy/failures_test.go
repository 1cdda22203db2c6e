package proxy

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/onelease/onelease/backend"
)

// A target that fails is told to visitors without its address, and to the operator
// with it and once.
func TestTargetFails(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := ln.Addr().String()
	ln.Close()
	w := newWorld(t, &Service{Target: "http://" + addr})
	for range 3 {
		answer, body := w.get("/")
		if answer.StatusCode != http.StatusServiceUnavailable || !strings.Contains(body, "not running") {
			t.Errorf("%s: %s", answer.Status, body)
		}
		checkSecret(t, answer, body)
	}
	if s := w.log.String(); strings.Count(s, "start it, or set target") != 1 || !strings.Contains(s, addr) {
		t.Errorf("log:\n%s", s)
	}
	if ln, err = net.Listen("tcp", addr); err != nil {
		t.Skip("another has taken the port: ", err)
	}
	server := &http.Server{}
	go server.Serve(ln)
	defer server.Close()
	w.get("/")
	if s := w.log.String(); strings.Count(s, "answers again") != 1 {
		t.Errorf("log:\n%s", s)
	}
}

func TestTargetMisbehaves(t *testing.T) {
	garbage, _ := rawTarget(t, "SSH-2.0-OpenSSH\r\n\r\n")
	cut, _ := rawTarget(t, "")
	release := make(chan bool)
	silent := startTarget(t, func(http.ResponseWriter, *http.Request) { <-release })
	defer close(release)
	for target, want := range map[string]int{garbage: 502, cut: 502, silent.URL: 504} {
		w := newWorld(t, &Service{Target: target, ResponseTimeout: backend.Duration(50 * time.Millisecond)})
		answer, body := w.get("/")
		if answer.StatusCode != want {
			t.Errorf("%s, want %d", answer.Status, want)
		}
		checkSecret(t, answer, body)
	}
}

// A response that breaks off must not look whole.
func TestTargetBreaksOff(t *testing.T) {
	target, _ := rawTarget(t, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n")
	w := newWorld(t, &Service{Target: target})
	conn := w.dial()
	io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	if body, err := io.ReadAll(answer.Body); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("%q, %v", body, err)
	}
}

// checkSecret fails the test if an answer of the proxy tells where the target is.
func checkSecret(t *testing.T, answer *http.Response, body string) {
	t.Helper()
	all := fmt.Sprint(answer.Header, body)
	for _, secret := range []string{"127.0.0.1", "localhost", "target", "dial", "refused", "Date", "Server"} {
		if strings.Contains(all, secret) {
			t.Errorf("tells %q: %s", secret, all)
		}
	}
}
