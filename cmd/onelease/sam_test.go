package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/onelease/onelease/test/embedded"
)

// A samDialogue is a connection to a bridge.
type samDialogue struct {
	t     *testing.T
	conn  net.Conn
	lines *bufio.Reader
}

func dialSAM(t *testing.T, addr string) *samDialogue {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(time.Minute))
	return &samDialogue{t, conn, bufio.NewReader(conn)}
}

// ask says a line, and wants an answer that begins so.
func (d *samDialogue) ask(line, want string) {
	d.t.Helper()
	fmt.Fprintf(d.conn, "%s\n", line)
	if got, err := d.lines.ReadString('\n'); err != nil || !strings.HasPrefix(got, want) {
		d.t.Errorf("%s: got %.100q, %v; want %s", line, got, err, want)
	}
}

// startSAM starts the program, and returns what it prints when it serves.
func startSAM(t *testing.T, args ...string) (*process, samView) {
	t.Helper()
	p := &process{t: t, cmd: program(t, args...)}
	p.cmd.Stderr = p
	out, err := p.cmd.StdoutPipe()
	if err == nil {
		err = p.cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if p.cmd.ProcessState == nil {
			p.kill()
		}
	})
	var view samView
	if err := json.NewDecoder(out).Decode(&view); err != nil {
		t.Fatalf("%v: %s", err, p.log())
	}
	return p, view
}

// The demo's bridge: a site by its name, a datagram port, an end without a word.
func TestDemoSAM(t *testing.T) {
	t.Parallel()
	p, view := startSAM(t, "demo", "--sam", "127.0.0.1:0", "--json", "--routers", "2")
	if len(view.SAM) != 1 || !strings.HasPrefix(view.UDP, "127.0.0.1:") || !strings.HasSuffix(view.Names["zzz.i2p"], ".b32.i2p") {
		t.Errorf("says %+v", view)
	}
	control, stream := dialSAM(t, view.SAM[0]), dialSAM(t, view.SAM[0])
	control.ask("HELLO VERSION", "HELLO REPLY RESULT=OK VERSION=3.3")
	control.ask("SESSION CREATE STYLE=STREAM ID=it DESTINATION=TRANSIENT", "SESSION STATUS RESULT=OK DESTINATION=")
	stream.ask("HELLO VERSION MIN=3.0 MAX=3.1", "HELLO REPLY RESULT=OK VERSION=3.1")
	stream.ask("STREAM CONNECT ID=it DESTINATION=zzz.i2p", "STREAM STATUS RESULT=OK")
	stream.ask("GET / HTTP/1.0\n", "HTTP/1.0 200 OK")
	p.cmd.Process.Signal(syscall.SIGINT)
	if got := code(t, p.cmd.Wait()); got != 0 || p.log() != "" {
		t.Errorf("exit code %d: %s", got, p.log())
	}
}

// The bridge on routers that are reached by I2CP, from a file, with users.
func TestSAM(t *testing.T) {
	t.Parallel()
	network := embedded.Start(embedded.Config{Names: []string{"zzz.i2p"}})
	defer network.Close()
	var routers strings.Builder
	for name, role := range map[string]string{"member-1": "member", "member-2": "member", "publisher": "publisher"} {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer ln.Close()
		go network.Router(name).ServeI2CP(ln)
		fmt.Fprintf(&routers, "[[router]]\nname = %q\naddress = %q\nroles = [%q]\ndont-publish = \"inverted\"\n", name, ln.Addr(), role)
	}
	dir := t.TempDir()
	file, users := filepath.Join(dir, "sam.toml"), filepath.Join(dir, "users")
	text := "listen = [\"127.0.0.1:0\"]\nudp = \"127.0.0.1:0\"\nusers = \"users\"\nauth = true\n" + routers.String()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if r := try(t, "correct horse\n", "sam", "user", "add", "alice", "--users", users); r.code != 0 {
		t.Fatal(r.said)
	}
	if got := do(t, "sam", "user", "list", "--users", users); got != "alice\n" {
		t.Errorf("users %q", got)
	}
	admin := freeAddr(t)
	p, view := startSAM(t, "sam", "--config", file, "--json", "--admin", admin)
	stranger, control := dialSAM(t, view.SAM[0]), dialSAM(t, view.SAM[0])
	stranger.ask("HELLO VERSION USER=alice PASSWORD=wrong", "HELLO REPLY RESULT=I2P_ERROR")
	control.ask(`HELLO VERSION USER=alice PASSWORD="correct horse"`, "HELLO REPLY RESULT=OK")
	control.ask("SESSION CREATE STYLE=STREAM ID=it DESTINATION=TRANSIENT", "SESSION STATUS RESULT=OK")
	stream := dialSAM(t, view.SAM[0])
	stream.ask(`HELLO VERSION USER=alice PASSWORD="correct horse"`, "HELLO REPLY RESULT=OK")
	stream.ask("STREAM CONNECT ID=it DESTINATION=zzz.i2p", "STREAM STATUS RESULT=OK")
	stream.ask("GET / HTTP/1.0\n", "HTTP/1.0 200 OK")
	if text := do(t, "status", "--admin", admin); !strings.HasPrefix(text, "sam is ready\n") || !strings.Contains(text, "1 Destination, ") || strings.Contains(text, "alice") {
		t.Errorf("status:\n%s", text)
	}

	// SIGHUP takes what the file of users has, or nothing.
	add := func(name string) {
		if r := try(t, "another\n", "sam", "user", "add", name, "--users", users); r.code != 0 {
			t.Fatal(r.said)
		}
	}
	add("bob")
	reload := func(text, says string) {
		t.Helper()
		write(t, file, text)
		p.cmd.Process.Signal(syscall.SIGHUP)
		p.says(says)
	}
	reload("max-streems = 3\n"+text, `line 1: unknown key \"max-streems\"`)
	reload("max-streams = 3\n"+text, "max-streams: nothing was changed")
	dialSAM(t, view.SAM[0]).ask("HELLO VERSION USER=bob PASSWORD=another", "HELLO REPLY RESULT=I2P_ERROR")
	reload(text, "certificates and users read again")
	dialSAM(t, view.SAM[0]).ask("HELLO VERSION USER=bob PASSWORD=another", "HELLO REPLY RESULT=OK")
	control.ask("PING still", "PONG still")
	p.end()
	for _, secret := range []string{"correct horse", "wrong", "alice", "another", "bob"} {
		if strings.Contains(p.log(), secret) {
			t.Errorf("the log has %q: %s", secret, p.log())
		}
	}
}
