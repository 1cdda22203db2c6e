package main

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestServiceManager: it is told when a node runs, reads its file again and ends; what was
// wrong with the file is in the status. packaging/testunits.sh has systemd itself.
func TestServiceManager(t *testing.T) {
	dir := t.TempDir()
	socket, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: filepath.Join(dir, "s"), Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	t.Setenv("NOTIFY_SOCKET", filepath.Join(dir, "s"))
	t.Setenv("WATCHDOG_USEC", "60000000")
	file := filepath.Join(dir, "sam.toml")
	text := "listen = [\"127.0.0.1:0\"]\nudp = \"none\"\n[[router]]\nname = \"a\"\naddress = \"" + freeAddr(t) + "\"\n"
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	// told waits for a datagram that says the first, and wants the others there as well. A
	// line of status may come at any time before it.
	told := func(first string, more ...string) {
		t.Helper()
		buf := make([]byte, 4<<10)
		_ = socket.SetReadDeadline(time.Now().Add(20 * time.Second))
		var said string
		for !strings.Contains(said, first) {
			n, err := socket.Read(buf)
			if err != nil {
				t.Fatalf("waiting for %q: %v", first, err)
			}
			said = string(buf[:n])
			if !strings.Contains(said, first) && !strings.HasPrefix(said, "STATUS=") {
				t.Fatalf("systemd is told %q, not %q", said, first)
			}
		}
		for _, w := range more {
			if !strings.Contains(said, w) {
				t.Errorf("systemd is told %q, without %q", said, w)
			}
		}
	}
	write(text)
	p := start(t, "sam", "--config", file)
	told("READY=1")
	told("STATUS=not ready; members: none is up", "WATCHDOG=1")
	write("junk = 1\n" + text)
	p.cmd.Process.Signal(syscall.SIGHUP)
	told("RELOADING=1", "MONOTONIC_USEC=")
	told("READY=1", "STATUS=not ready; members: none is up", "last reload, which failed", "sam.toml: line 1: unknown key \"junk\"")
	p.end()
	told("STOPPING=1")
}
