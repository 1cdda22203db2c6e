package samclient

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"net"
	"sync"
)

// Streams is an open STREAM session: the router terminates the streams, and a
// TCP connection to the bridge carries each. Its methods may be called from any
// goroutine.
//
// SAM and i2pd have no half-closed streams and no resets: a closed TCP
// connection closes the stream, and a stream that ends, whatever way, shows as a
// closed TCP connection.
type Streams struct {
	session
	bridge string
}

// OpenStreams creates a session; see Open.
func OpenStreams(ctx context.Context, bridge string, o Options) (*Streams, error) {
	s := &Streams{session{id: "streams-" + rand.Text()}, bridge}
	if err := s.create(ctx, bridge, "STREAM", o); err != nil {
		return nil, err
	}
	return s, nil
}

// Dial connects to a Destination, in I2P base64. It returns as soon as the
// router has found the LeaseSet: that somebody answers only the first byte tells.
// What the router does not find is ErrRefused, after a minute or so.
func (s *Streams) Dial(ctx context.Context, destination string) (net.Conn, error) {
	c, release, err := dial(ctx, s.bridge)
	if err != nil {
		return nil, err
	}
	_, err = c.ask("STREAM CONNECT ID="+s.id+" DESTINATION="+destination, "STREAM STATUS")
	if !release() || err != nil {
		c.conn.Close()
		return nil, firstOf(context.Cause(ctx), err)
	}
	return &conn{c.conn, c.lines, destination}, nil
}

// Lookup has the session find a Destination's LeaseSet by its b32 address, and keep
// it; nothing is sent there. (On a connection of its own the bridge would look
// it up for nobody.)
func (s *Streams) Lookup(ctx context.Context, name string) error {
	release := context.AfterFunc(ctx, func() { s.Close() })
	defer release()
	_, err := s.control.ask("NAMING LOOKUP NAME="+name, "NAMING REPLY")
	return firstOf(context.Cause(ctx), err)
}

// Listen has the bridge forward the streams that come in to a TCP port of ours.
// (STREAM ACCEPT takes one stream at a time, and in 2.58 drops what waits for the
// next.) Closing the listener ends it. A session has one listener at most.
func (s *Streams) Listen(ctx context.Context) (net.Listener, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("sam: listen: %w", err)
	}
	c, release, err := dial(ctx, s.bridge)
	if err != nil {
		ln.Close()
		return nil, err
	}
	port := ln.Addr().(*net.TCPAddr).Port
	_, err = c.ask(fmt.Sprintf("STREAM FORWARD ID=%s PORT=%d SILENT=false", s.id, port), "STREAM STATUS")
	if !release() || err != nil {
		c.conn.Close()
		ln.Close()
		return nil, firstOf(context.Cause(ctx), err)
	}
	return &listener{Listener: ln, forward: c.conn}, nil
}

// Close ends the session and all its streams.
func (s *Streams) Close() error { return s.control.conn.Close() }

// A listener accepts forwarded streams, until the connection that asked for
// them is closed.
type listener struct {
	net.Listener
	forward net.Conn
	close   sync.Once
}

// Accept waits for a stream. Who began it is read by the first Read, so that a
// slow one holds up nobody.
func (l *listener) Accept() (net.Conn, error) {
	tcp, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &accepted{Conn: tcp}, nil
}

// Close ends the forwarding.
func (l *listener) Close() error {
	err := net.ErrClosed
	l.close.Do(func() {
		l.forward.Close()
		err = l.Listener.Close()
	})
	return err
}

var (
	_ io.Closer    = (*Streams)(nil)
	_ net.Listener = (*listener)(nil)
)
