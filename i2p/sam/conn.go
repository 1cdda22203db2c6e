package sam

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync/atomic"
	"time"

	"github.com/onelease/onelease/internal/coalesce"
)

const (
	// flushTime bounds the last words to a client.
	flushTime = time.Second
	// lingerBytes is what is read and thrown away of a client after them.
	lingerBytes = 16 << 20
)

// A conn is one client's control connection. Its fields belong to the
// goroutine in run, but for w, which anybody may append to.
//
// The order at the end: no more packets to it, no more lookups (their replies
// need w), last words, close.
type conn struct {
	s       *Server
	nc      net.Conn
	r       *Reader
	w       *coalesce.Writer
	timeout atomic.Int64 // of a write
	ending  atomic.Bool  // run is to stop reading

	ctx    context.Context // ends with run
	cancel context.CancelFunc
	slots  chan struct{} // has an element per lookup that runs

	cmd     Command
	dests   destCache
	minor   int // of the SAM version, valid after hello
	hello   bool
	began   bool // the command after HELLO has come
	session *session
	// creating is the SESSION CREATE that waits for the Host, or nil.
	creating *Command
}

func newConn(s *Server, nc net.Conn) *conn {
	c := &conn{s: s, nc: nc, slots: make(chan struct{}, maxLookups)}
	c.r = NewReader(noticingReader{c})
	c.timeout.Store(int64(s.cfg.WriteTimeout))
	c.w = coalesce.New(connWriter{c}, s.cfg.QueueLimit)
	return c
}

// run serves the connection to its end and closes it.
func (c *conn) run(ctx context.Context) {
	c.ctx, c.cancel = context.WithCancel(ctx)
	c.nc.SetReadDeadline(time.Now().Add(c.s.cfg.HelloTimeout))
	err := c.read()
	c.shutdown(c.explain(err))
}

func (c *conn) read() error {
	for !c.ending.Load() {
		line, err := c.r.Line()
		if err == nil {
			err = c.handle(line)
		} else if c.creating != nil && errors.Is(err, os.ErrDeadlineExceeded) && !c.ending.Load() {
			err = c.createLate()
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// handle runs one line. An error ends the connection.
func (c *conn) handle(line []byte) error {
	if err := c.cmd.Parse(line); err == ErrEmpty {
		return nil
	} else if err != nil {
		return err
	}
	if !c.hello && c.cmd.Kind != KindHello {
		return Refusef(ResultI2PError, "begin with HELLO VERSION")
	}
	if c.hello && !c.began {
		c.began = true
		c.nc.SetReadDeadline(time.Time{})
	}
	if h := handlers[c.cmd.Kind]; h != nil {
		return h(c)
	}
	return Refusef(ResultI2PError, "command %.20q %.20q is not served here; packets go by RAW SEND", c.cmd.Verb, c.cmd.Action)
}

// explain tells the client why its connection ends, unless it knows or left
// by itself. True says that it was told something.
func (c *conn) explain(err error) bool {
	var broken net.Error
	switch {
	case c.ending.Load():
		return true
	case errors.Is(err, os.ErrDeadlineExceeded):
		err = Refusef(ResultI2PError, "no command in %v", c.s.cfg.HelloTimeout)
	case errors.Is(err, errQuit), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF),
		errors.Is(err, io.ErrClosedPipe), errors.As(err, &broken):
		return false
	}
	c.refuse(err)
	return true
}

// refuse tells the client of an error that ends the connection.
func (c *conn) refuse(err error) {
	kind := KindSessionStatus
	if !c.hello {
		kind = KindHelloReply
	}
	c.reply(kind, err)
	c.ending.Store(true)
}

// end makes run stop, with a last word for the client. Anybody may call it.
func (c *conn) end(reason string) {
	if c.ending.Swap(true) {
		return
	}
	c.reply(KindSessionStatus, Refusef(ResultI2PError, "%s", reason))
	c.nc.SetReadDeadline(time.Unix(1, 0))
}

// reply sends the result that err stands for.
func (c *conn) reply(kind Kind, err error) {
	c.w.Append(func(b []byte) []byte { return AppendReply(b, kind, err) })
}

func (c *conn) shutdown(linger bool) {
	c.cancel()
	if c.creating != nil {
		c.s.waiting.remove(c)
	}
	if c.session != nil {
		c.s.remove(c.session)
		c.s.pending.forget(c)
	}
	for range maxLookups {
		c.slots <- struct{}{} // waits for those that run, and leaves no room for more
	}
	c.timeout.Store(int64(flushTime))
	c.nc.SetWriteDeadline(time.Now().Add(flushTime))
	c.w.Close()
	if linger {
		c.linger()
	}
	c.nc.Close()
}

// linger ends our side and drains the client's until it closes, for a moment.
// To close with input unread would reset the connection, and the client might
// lose the message that says why.
func (c *conn) linger() {
	if half, ok := c.nc.(interface{ CloseWrite() error }); ok {
		half.CloseWrite()
	}
	c.nc.SetReadDeadline(time.Now().Add(flushTime))
	io.CopyN(io.Discard, c.nc, lingerBytes)
}

// A connWriter bounds each write in time, and ends a connection that cannot
// be written to: its reader would not notice.
type connWriter struct{ c *conn }

func (w connWriter) Write(b []byte) (int, error) {
	w.c.nc.SetWriteDeadline(time.Now().Add(time.Duration(w.c.timeout.Load())))
	n, err := w.c.nc.Write(b)
	if err != nil {
		w.c.nc.Close()
	}
	return n, err
}

var _ io.Writer = connWriter{}
