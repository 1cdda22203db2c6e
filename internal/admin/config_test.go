package admin

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What cannot work is refused, with what to do.
func TestConfigRefused(t *testing.T) {
	for name, c := range map[string]struct {
		with Config
		says string
	}{
		"no port":               {Config{Listen: "127.0.0.1"}, "want host:port"},
		"no path":               {Config{Listen: "unix:"}, "has no path"},
		"elsewhere":             {Config{Listen: "0.0.0.0:0"}, "--admin-token-file, or listen on 127.0.0.1"},
		"any address":           {Config{Listen: ":0"}, "--admin-token-file, or listen on 127.0.0.1"},
		"elsewhere, TLS alone":  {Config{Listen: "0.0.0.0:0", TLSCert: "c", TLSKey: "k"}, "--admin-token-file, or"},
		"elsewhere, token only": {Config{Listen: "0.0.0.0:0", TokenFile: "t"}, "give --admin-tls-cert"},
		"certificate only":      {Config{Listen: "127.0.0.1:0", TLSCert: "c"}, "give both, or none"},
		"token without address": {Config{TokenFile: "t"}, "go with --admin"},
		"token on a socket":     {Config{Listen: "unix:/x", TokenFile: "t"}, "leave them out"},
	} {
		e, err := Open(c.with)
		if !errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want one that says %q", name, err, c.says)
		}
		e.Close()
	}
	e, err := Open(Config{})
	if e != nil || err != nil || e.Addr() != "" {
		t.Errorf("nowhere: %v, %v", e, err)
	}
	e.Serve(nil)()
}

// write makes a file of that mode.
func write(t *testing.T, text string, mode os.FileMode) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestReadToken(t *testing.T) {
	good := strings.Repeat("x", MinToken)
	if got, err := ReadToken(write(t, good+"\n", 0o600)); got != good || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	for name, path := range map[string]string{
		"short":         write(t, good[1:]+"\n", 0o600),
		"two lines":     write(t, good+"\n"+good+"\n", 0o600),
		"read by all":   write(t, good, 0o644),
		"long":          write(t, strings.Repeat("x", maxToken+1), 0o600),
		"there is none": filepath.Join(t.TempDir(), "none"),
	} {
		if token, err := ReadToken(path); err == nil || strings.Contains(err.Error(), good[1:]) {
			t.Errorf("%s: token %q, error %v", name, token, err)
		}
	}
}

// Whoever comes when all places are taken waits for one.
func TestLimit(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := limit(ln)
	accepted := make(chan net.Conn, maxConns+1)
	go func() {
		defer close(accepted)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			accepted <- conn
		}
	}()
	for range maxConns + 1 {
		conn, err := net.Dial("tcp", ln.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
	}
	var first net.Conn
	for range maxConns {
		first = <-accepted
		defer first.Close()
	}
	if len(l.(*limited).places) != maxConns || len(accepted) != 0 {
		t.Errorf("%d places taken, %d more accepted", len(l.(*limited).places), len(accepted))
	}
	first.Close()
	first.Close() // gives no second place
	(<-accepted).Close()
	l.Close()
	if _, open := <-accepted; open {
		t.Error("accepted after Close")
	}
}
