package sambridge

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync/atomic"
	"time"

	"github.com/onelease/onelease/i2p/sam"
)

// A conn is one control connection. Its fields belong to the goroutine in run, but
// for nc's deadlines and out, which anybody may use.
//
//	young --HELLO, command--> control --SESSION CREATE--> a session's own
//	                             \----STREAM ...----------> a stream, or its ACCEPT or FORWARD
//
// What is a stream never is control again.
type conn struct {
	b      *Bridge
	nc     net.Conn
	source string // the machine it comes from
	area   string // the network that counts as one with it
	local  bool   // it came in by a listener on the loopback
	r      *sam.Reader
	out    *output

	cmd     sam.Command
	minor   int // of SAM's version, valid after hello
	hello   bool
	began   bool // the command after HELLO has come
	user    string
	admin   bool
	session *session    // that began here
	forward *forward    // that began here
	unwatch func() bool // no longer interrupts reads when the bridge ends
	pinged  time.Time   // when a PING was sent, zero if something came after it
	pings   bool        // the client knows PING
	// lookups are places for those that run beside; nil if there was none.
	lookups chan struct{}
	evicted atomic.Bool
	// ending is why the session ends that began here.
	ending atomic.Pointer[error]
}

// errDone ends a connection that knows why, errQuit one whose client asked for it.
var (
	errDone = errors.New("done")
	errQuit = errors.New("client quit")
)

func newConn(b *Bridge, nc net.Conn, local bool) *conn {
	c := &conn{b: b, nc: nc, local: local, source: sourceOf(nc.RemoteAddr()), area: areaOf(nc.RemoteAddr())}
	c.r = sam.NewReader(nc)
	c.out = &output{nc: nc, timeout: b.cfg.Limits.WriteTime}
	return c
}

// turnAway ends a connection for which there is no place. A TLS client is not told why: that
// would take a handshake.
func (c *conn) turnAway() {
	c.b.stats.refused.Add(1)
	if c.b.cfg.TLS == nil {
		c.reply(sam.KindHelloReply, sam.Refusef(sam.ResultI2PError, "all %d connections are taken; close some", c.b.cfg.Limits.Conns))
	}
	c.nc.Close()
}

// run serves the connection to its end and closes it.
func (c *conn) run() {
	defer c.nc.Close()
	c.nc.SetReadDeadline(time.Now().Add(c.b.cfg.Limits.HelloTime))
	err := c.read()
	if c.forward != nil {
		c.forward.end()
	}
	if c.session != nil {
		c.session.retire()
	}
	told := c.explain(err)
	c.out.close()
	if told && !c.evicted.Load() {
		c.linger()
	}
	c.nc.Close()
	if c.session != nil {
		c.session.end()
	}
}

// read runs line after line. It returns why there are no more.
func (c *conn) read() error {
	for {
		if c.b.ctx.Err() != nil {
			return sam.Refusef(sam.ResultI2PError, "the bridge is shutting down")
		}
		line, err := c.r.Line()
		if err == nil {
			c.pinged = time.Time{}
			err = c.handle(line)
		} else if errors.Is(err, os.ErrDeadlineExceeded) {
			err = c.silent()
		}
		if err != nil {
			return err
		}
		c.rearm()
		c.interrupt()
	}
}

// handle runs one line. An error ends the connection.
func (c *conn) handle(line []byte) error {
	if len(trimmed(line)) == 0 {
		return nil // as on Java
	}
	if err := c.cmd.Parse(line); err != nil {
		return err
	}
	if !c.hello && c.cmd.Kind != sam.KindHello {
		return sam.Refusef(sam.ResultI2PError, "begin with HELLO VERSION")
	}
	if c.hello && !c.began {
		c.began = true
		c.b.crowd.grown(c)
	}
	if h := handlers[c.cmd.Kind]; h != nil {
		return h(c)
	}
	return c.unknown()
}

// end makes run stop, with a last word for the client. Anybody may call it.
func (c *conn) end(reason error) {
	c.ending.CompareAndSwap(nil, &reason)
	c.nc.SetReadDeadline(longAgo)
}

// explain tells the client why its connection ends, unless it knows or left by itself.
// True says that it was told something.
func (c *conn) explain(err error) bool {
	var broken net.Error
	switch {
	case errors.Is(err, errDone):
		return true
	case errors.Is(err, errQuit), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF),
		errors.Is(err, io.ErrClosedPipe), errors.Is(err, net.ErrClosed), errors.As(err, &broken):
		return false
	}
	kind := sam.KindSessionStatus
	if !c.hello {
		kind = sam.KindHelloReply
	}
	c.reply(kind, err)
	return true
}

// reply sends the result that err stands for. It fails if the client is gone.
func (c *conn) reply(kind sam.Kind, err error) error {
	return c.send(func(b []byte) []byte { return sam.AppendReply(b, kind, err) })
}

// send writes what frame appends.
func (c *conn) send(frame func(b []byte) []byte) error { return c.out.send(frame) }

// linger ends our side and drains the client's until it closes, for a moment. To
// close with input unread would reset the connection, and the client might lose the
// message that says why.
func (c *conn) linger() {
	if half, ok := c.nc.(interface{ CloseWrite() error }); ok {
		half.CloseWrite()
	}
	c.nc.SetReadDeadline(time.Now().Add(time.Second))
	io.CopyN(io.Discard, c.nc, lingerBytes)
}

// lingerBytes is what is read and thrown away of a client that was told of its end.
const lingerBytes = 1 << 20

// meanwhile runs work, which may take long, and cancels it if the client goes away.
// It returns false then. What the client says meanwhile waits for its turn.
func (c *conn) meanwhile(work func(ctx context.Context)) (here bool) {
	ctx, cancel := context.WithCancel(c.b.ctx)
	defer cancel()
	done := make(chan struct{})
	c.waits()
	go func() {
		work(ctx)
		close(done)
		c.nc.SetReadDeadline(longAgo)
	}()
	var err error
	for err == nil {
		err = c.r.ReadAhead()
	}
	if !errors.Is(err, os.ErrDeadlineExceeded) && !errors.Is(err, sam.ErrLineTooLong) {
		cancel()
		<-done
		return false
	}
	<-done
	c.waits()
	return true
}
