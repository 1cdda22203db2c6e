package streamservice

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"
)

// ErrAnswer says that the server did not answer "ok".
var ErrAnswer = errors.New("the server answered")

// Get has the server send t; m notes how it arrives. It fails with ErrBytes if
// one byte is wrong.
func Get(conn net.Conn, t Transfer, m *Meter) error {
	m.begin()
	if _, err := fmt.Fprintf(conn, "get %d %d %d\n", t.Size, t.Seed, t.Rate); err != nil {
		return err
	}
	return t.receive(conn, m)
}

// GetLast is Get with a server that closes the connection right after the last
// byte; the connection must then end with io.EOF.
func GetLast(conn net.Conn, t Transfer, m *Meter) error {
	m.begin()
	if _, err := fmt.Fprintf(conn, "last %d %d %d\n", t.Size, t.Seed, t.Rate); err != nil {
		return err
	}
	if err := t.receive(conn, m); err != nil {
		return err
	}
	if n, err := conn.Read(make([]byte, 1)); n > 0 || !errors.Is(err, io.EOF) {
		return fmt.Errorf("after the last byte: %d bytes and %v, want EOF", n, err)
	}
	return nil
}

// Put sends t and waits until the server says that it has every byte.
func Put(conn net.Conn, t Transfer) error {
	if _, err := fmt.Fprintf(conn, "put %d %d\n", t.Size, t.Seed); err != nil {
		return err
	}
	if err := t.send(conn); err != nil {
		return err
	}
	answer, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil {
		return fmt.Errorf("wait for the server's answer: %w", err)
	}
	if answer = strings.TrimSpace(answer); answer != "ok" {
		return fmt.Errorf("%w %q", ErrAnswer, answer)
	}
	return nil
}

// An Echo is a connection that sends back what it is sent, for streams that
// are idle most of the time.
type Echo struct {
	conn  net.Conn
	lines *bufio.Reader
}

// NewEcho begins to use the connection that way.
func NewEcho(conn net.Conn) (*Echo, error) {
	_, err := fmt.Fprintln(conn, "echo")
	return &Echo{conn, bufio.NewReader(conn)}, err
}

// AskUntil is Ask that fails at a time.
func (e *Echo) AskUntil(line string, until time.Time) (time.Duration, error) {
	if err := e.conn.SetDeadline(until); err != nil {
		return 0, err
	}
	return e.Ask(line)
}

// Ask sends a line, without its end, and returns how long it took to come back.
func (e *Echo) Ask(line string) (time.Duration, error) {
	began := time.Now()
	if _, err := fmt.Fprintln(e.conn, line); err != nil {
		return 0, err
	}
	got, err := e.lines.ReadString('\n')
	switch {
	case err != nil:
		return 0, fmt.Errorf("wait for the echo: %w", err)
	case strings.TrimSpace(got) != line:
		return 0, fmt.Errorf("%w: sent %q, got %q", ErrBytes, line, got)
	}
	return time.Since(began), nil
}
