package samclient

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
)

// serveStreams answers connections like a bridge, until it is closed: a session,
// a stream to "GOOD" that echoes a line, none to "BAD", and one incoming stream
// for whoever asks for forwarding.
func (b *bridge) serveStreams(t *testing.T) {
	for {
		conn, err := b.tcp.Accept()
		if err != nil {
			return
		}
		t.Cleanup(func() { conn.Close() })
		go b.serveCommands(t, conn)
	}
}

func (b *bridge) serveCommands(t *testing.T, conn net.Conn) {
	lines := bufio.NewScanner(conn)
	lines.Buffer(nil, 1<<16)
	for lines.Scan() {
		switch line := lines.Text(); {
		case strings.HasPrefix(line, "HELLO"):
			fmt.Fprintln(conn, "HELLO REPLY RESULT=OK VERSION=3.1")
		case strings.HasPrefix(line, "SESSION CREATE STYLE=STREAM ID=streams-"):
			fmt.Fprintln(conn, "SESSION STATUS RESULT=OK DESTINATION="+b.key.private)
		case strings.HasSuffix(line, " DESTINATION=GOOD"):
			fmt.Fprint(conn, "STREAM STATUS RESULT=OK\nfirst\n") // in one piece
			if lines.Scan() {
				fmt.Fprintln(conn, lines.Text())
			}
			conn.Close()
		case strings.HasSuffix(line, " DESTINATION=BAD"):
			fmt.Fprintln(conn, `STREAM STATUS RESULT=CANT_REACH_PEER MESSAGE="LeaseSet not found"`)
		case line == "NAMING LOOKUP NAME=there.b32.i2p":
			fmt.Fprintln(conn, "NAMING REPLY RESULT=OK NAME=there.b32.i2p VALUE="+b.key.public)
		case strings.HasPrefix(line, "NAMING LOOKUP"):
			fmt.Fprintln(conn, "NAMING REPLY RESULT=KEY_NOT_FOUND NAME=nowhere.b32.i2p")
		case strings.HasPrefix(line, "STREAM FORWARD"):
			fmt.Fprintln(conn, "STREAM STATUS RESULT=OK")
			b.forward(t, line)
		default:
			t.Errorf("unknown command %q", line)
		}
	}
}

// forward has one stream come in.
func (b *bridge) forward(t *testing.T, command string) {
	_, rest, _ := strings.Cut(command, " PORT=")
	port, _, _ := strings.Cut(rest, " ")
	conn, err := net.Dial("tcp", "127.0.0.1:"+port)
	if err != nil {
		t.Error(err)
		return
	}
	fmt.Fprint(conn, b.key.public+" FROM_PORT=0 TO_PORT=0\nhello")
	conn.Close()
}

func TestStreams(t *testing.T) {
	b := newBridge(t)
	go b.serveStreams(t)
	s, err := OpenStreams(t.Context(), b.tcp.Addr().String(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	conn, err := s.Dial(t.Context(), "GOOD")
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintln(conn, "second")
	if got, err := io.ReadAll(conn); string(got) != "first\nsecond\n" || err != nil {
		t.Errorf("read %q, %v", got, err)
	}
	if conn.RemoteAddr() != Addr("GOOD") {
		t.Errorf("connected to %v", conn.RemoteAddr())
	}
	if _, err := s.Dial(t.Context(), "BAD"); !errors.Is(err, ErrRefused) {
		t.Errorf("a Destination that is not found: %v", err)
	}
	if err := s.Lookup(t.Context(), "there.b32.i2p"); err != nil {
		t.Error(err)
	}
	if err := s.Lookup(t.Context(), "nowhere.b32.i2p"); !errors.Is(err, ErrRefused) {
		t.Errorf("a name that is not found: %v", err)
	}
	checkForwarded(t, s, b.key.public)
}

func checkForwarded(t *testing.T, s *Streams, from string) {
	ln, err := s.Listen(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	conn, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if got, err := io.ReadAll(conn); string(got) != "hello" || err != nil || conn.RemoteAddr() != Addr(from) {
		t.Errorf("read %q from %.20v, %v", got, conn.RemoteAddr(), err)
	}
	ln.Close()
	if _, err := ln.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("accept when closed: %v", err)
	}
}
