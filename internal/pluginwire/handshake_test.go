package pluginwire

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/streaming"
)

var secret = Token{1, 2, 3}

// serveOne plays the host for one connection.
func serveOne(t *testing.T, serve func(Preface, net.Conn)) (socket string) {
	ln := listen(t)
	done := make(chan struct{})
	go func() {
		defer close(done)
		raw, err := ln.Accept()
		if err != nil {
			return
		}
		p, err := ReadPreface(raw)
		if err != nil || !p.Token.Equal(secret) {
			t.Errorf("%+v, %v", p, err)
		}
		serve(p, raw)
	}()
	t.Cleanup(func() { ln.Close(); <-done })
	return ln.Addr().String()
}

func TestDialStream(t *testing.T) {
	local, remote := newAddr(t, 0), newAddr(t, 80)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	conn, err := DialStream(ctx, serveOne(t, func(p Preface, raw net.Conn) {
		c := NewConn(raw)
		address, limit, err := c.ReadDial()
		if p.Role != Dials || address != "a.i2p:80" || limit <= 0 || limit > time.Minute || err != nil {
			t.Errorf("%+v, %q, %v, %v", p, address, limit, err)
		}
		ctx, stop := c.Watch(context.WithoutCancel(t.Context()))
		if ctx.Err() != nil {
			t.Error("it gave up")
		}
		stop()
		if err := c.Begin(local, remote); err != nil {
			t.Error(err)
		}
		io.Copy(c, c)
		c.Close()
	}), secret, "a.i2p:80")
	if err != nil {
		t.Fatal(err)
	}
	cancel() // which is of no consequence any more
	if *conn.LocalAddr().(*i2p.Addr) != *local || *conn.RemoteAddr().(*i2p.Addr) != *remote {
		t.Errorf("from %v to %v", conn.LocalAddr(), conn.RemoteAddr())
	}
	io.WriteString(conn, "hello")
	conn.CloseWrite()
	if got, err := io.ReadAll(conn); string(got) != "hello" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
}

func TestAcceptStreamRefused(t *testing.T) {
	_, err := AcceptStream(t.Context(), serveOne(t, func(p Preface, raw net.Conn) {
		if p.Role != Accepts || p.ID != 7 {
			t.Errorf("%+v", p)
		}
		NewConn(raw).Refuse(streaming.ErrReset)
	}), secret, 7)
	want(t, "accept", err, streaming.ErrReset)
	_, err = AcceptStream(t.Context(), serveOne(t, func(_ Preface, raw net.Conn) { raw.Close() }), secret, 7)
	want(t, "accept from one that dies", err, ErrBroken)
	_, err = DialStream(t.Context(), "nowhere", secret, strings.Repeat("x", maxControl))
	want(t, "a dial to a long name", err, i2p.ErrInvalid)
	_, err = AcceptStream(t.Context(), t.TempDir()+"/none", secret, 7)
	want(t, "no socket", err, os.ErrNotExist)
}

// A plugin that gives up a dial ends the host's.
func TestDialGivenUp(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	enough := errors.New("enough")
	_, err := DialStream(ctx, serveOne(t, func(_ Preface, raw net.Conn) {
		c := NewConn(raw)
		if _, limit, err := c.ReadDial(); limit != 0 || err != nil {
			t.Errorf("%v, %v", limit, err)
		}
		dial, stop := c.Watch(context.WithoutCancel(t.Context()))
		cancel(enough)
		await(t, "the end of the dial", dial.Done())
		stop()
		want(t, "the dial", context.Cause(dial), ErrBroken)
		raw.Close()
	}), secret, "a.i2p")
	want(t, "dial", err, enough)
}
