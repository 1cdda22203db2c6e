package proxy

import (
	"errors"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"
)

// tcpTarget serves each connection with handle.
func tcpTarget(t *testing.T, handle func(*net.TCPConn)) (url string) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			go handle(conn.(*net.TCPConn))
		}
	}()
	return "tcp://" + ln.Addr().String()
}

// A target that answers once it has read all needs each direction to end by itself.
func TestTCPHalfClose(t *testing.T) {
	target := tcpTarget(t, func(conn *net.TCPConn) {
		defer conn.Close()
		text, _ := io.ReadAll(conn)
		io.WriteString(conn, strings.ToUpper(string(text)))
	})
	conn := newWorld(t, &Service{Target: target}).dial()
	text := strings.Repeat("text ", 100_000)
	io.WriteString(conn, text)
	conn.CloseWrite()
	if got, err := io.ReadAll(conn); err != nil || string(got) != strings.ToUpper(text) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}

func TestTCPOtherHalfClose(t *testing.T) {
	got := make(chan string, 1)
	target := tcpTarget(t, func(conn *net.TCPConn) {
		defer conn.Close()
		io.WriteString(conn, "greeting")
		conn.CloseWrite()
		text, _ := io.ReadAll(conn)
		got <- string(text)
	})
	conn := newWorld(t, &Service{Target: target}).dial()
	if text, err := io.ReadAll(conn); string(text) != "greeting" || err != nil {
		t.Errorf("%q, %v", text, err)
	}
	io.WriteString(conn, "answer")
	conn.CloseWrite()
	if text := <-got; text != "answer" {
		t.Errorf("the target got %q", text)
	}
}

// Resets pass in both directions: they are not ends.
func TestTCPResets(t *testing.T) {
	read := make(chan error, 1)
	target := tcpTarget(t, func(conn *net.TCPConn) {
		command := make([]byte, 1)
		io.ReadFull(conn, command)
		if command[0] == 'r' {
			conn.SetLinger(0)
			conn.Close()
			return
		}
		conn.Write(command)
		_, err := conn.Read(command)
		read <- err
		conn.Close()
	})
	w := newWorld(t, &Service{Target: target})
	conn := w.dial()
	io.WriteString(conn, "r")
	if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the remote reads %v", err)
	}
	conn = w.dial()
	io.WriteString(conn, "x")
	io.ReadFull(conn, make([]byte, 1))
	conn.SetLinger(0)
	conn.Close()
	if err := <-read; !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the target reads %v", err)
	}
}

func TestTCPTargetIsDown(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	target := "tcp://" + ln.Addr().String()
	ln.Close()
	w := newWorld(t, &Service{Target: target})
	wantReset(t, w)
	if s := w.log.String(); !strings.Contains(s, "start it, or set target") || !strings.Contains(s, target) {
		t.Errorf("log:\n%s", s)
	}
}

// wantReset begins a stream that must be reset.
func wantReset(t *testing.T, w *world) {
	t.Helper()
	conn, err := net.Dial("tcp", w.addr) // the reset may come before that is done
	if err == nil {
		defer conn.Close()
		_, err = conn.Read(make([]byte, 1))
	}
	if !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("a stream that was to be reset: %v", err)
	}
}

// A stream goes on after the service was told to end; Serve waits for it.
func TestTCPDrain(t *testing.T) {
	target := tcpTarget(t, func(conn *net.TCPConn) {
		defer conn.Close()
		io.Copy(conn, conn)
	})
	w := newWorld(t, &Service{Target: target, MaxPerRemote: 1})
	conn := w.dial()
	chat := func() {
		io.WriteString(conn, "word")
		got := make([]byte, 4)
		if _, err := io.ReadFull(conn, got); err != nil || string(got) != "word" {
			t.Fatalf("%q, %v", got, err)
		}
	}
	chat()
	wantReset(t, w) // it is one too many
	w.end()
	for { // until the port is closed
		c, err := net.Dial("tcp", w.addr)
		if err != nil {
			break
		}
		c.Close()
	}
	chat()
	conn.Close() // and the world's end waits for Serve
}

func TestBadInput(t *testing.T) {
	for _, test := range []struct {
		s    Service
		says string
	}{
		{Service{}, "setting target: it is empty: want http://HOST:PORT"},
		{Service{Target: "127.0.0.1:8080"}, "setting target"},
		{Service{Target: "localhost"}, "setting target"},
		{Service{Target: "https://127.0.0.1"}, `setting target: "https": want http://`},
		{Service{Target: "http://127.0.0.1:8080/app"}, "more than a host and a port"},
		{Service{Target: "http://127.0.0.1:8080?x=y"}, "more than a host and a port"},
		{Service{Target: "http://me:secret@127.0.0.1"}, "more than a host and a port"},
		{Service{Target: "http://127.0.0.1:99999"}, "no port from 1"},
		{Service{Target: "http://127.0.0.1:0"}, "no port from 1"},
		{Service{Target: "tcp://127.0.0.1"}, "no port from 1"},
		{Service{Target: "unix:app.sock"}, "no path from the root"},
		{Service{Target: "http://%zz"}, "cannot be read"},
		{Service{Target: "tcp://127.0.0.1:22", SpoofHost: "x"}, "setting spoof-host is for HTTP"},
		{Service{Target: "tcp://127.0.0.1:22", RejectInproxy: true}, "setting reject-inproxy is for HTTP"},
		{Service{Target: "http://127.0.0.1", SpoofHost: "http://x/"}, "is no host name"},
		{Service{Target: "http://127.0.0.1", MaxBody: -1}, "setting max-body is negative"},
		{Service{Target: "http://127.0.0.1", ResponseTimeout: 30}, "setting response-timeout: 30ns"},
	} {
		err := test.s.Serve(t.Context(), nil)
		if err == nil || !strings.Contains(err.Error(), test.says) || !strings.HasPrefix(err.Error(), "proxy: ") || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v, want %q", test.s.Target, err, test.says)
		}
	}
	for text, want := range map[string]target{
		"http://127.0.0.1":     {true, "tcp", "127.0.0.1:80"},
		"http://[::1]:8080/":   {true, "tcp", "[::1]:8080"},
		"unix:/run/app.sock":   {true, "unix", "/run/app.sock"},
		"unix:///run/app.sock": {true, "unix", "/run/app.sock"},
		"tcp://localhost:22":   {false, "tcp", "localhost:22"},
	} {
		if got, err := parseTarget(text); err != nil || got != want {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
}
