package sambridge

import (
	"context"
	"crypto/tls"
	"net"
	"strconv"
	"time"

	"github.com/onelease/onelease/i2p/sam"
	"github.com/onelease/onelease/i2p/streaming"
)

// forwardTime is how long the server that streams are forwarded to may take to
// accept a connection ("Forward Response").
const forwardTime = 3 * time.Second

// A forward passes the streams of a session on to a server of the client's. It ends with
// the connection that asked for it, its owner.
type forward struct {
	s      *session
	owner  *conn
	addr   string
	tls    *tls.Config // nil: in the clear
	silent bool
	minor  int
}

// onStreamForward begins a forward. The connection goes on: it can be asked with PING.
func (c *conn) onStreamForward() error {
	f, err := c.newForward()
	if err == nil {
		err = f.s.door.setForward(f)
	}
	if err != nil {
		return c.refuseStream(false, err) // also if SILENT, as in the specification
	}
	c.forward = f
	if !c.awaitPublished(f.s) {
		return errQuit
	}
	return c.reply(sam.KindStreamStatus, nil)
}

func (c *conn) newForward() (*forward, error) {
	s, err := c.streamSession()
	if err != nil {
		return nil, err
	}
	f := &forward{s: s, owner: c, minor: c.minor}
	if f.silent, err = c.readSilent(); err != nil {
		return nil, err
	}
	port, err := c.cmd.Number("PORT", 0, maxPort)
	switch {
	case err != nil:
		return nil, sam.Refusef(sam.ResultI2PError, "%v", err)
	case port == 0:
		return nil, sam.Refusef(sam.ResultI2PError, "Forwarding failed : PORT is missing; where does your server listen?")
	}
	host, err := c.forwardHost(c.cmd.Value("HOST"))
	if err != nil {
		return nil, err
	}
	f.addr = net.JoinHostPort(host, strconv.Itoa(port))
	return f, f.readSSL(c, host)
}

func (f *forward) readSSL(c *conn, host string) error {
	ssl, err := c.cmd.Bool("SSL", false)
	if err != nil {
		return sam.Refusef(sam.ResultI2PError, "%v", err)
	}
	if !ssl {
		return nil
	}
	f.tls = c.b.cfg.ForwardTLS.Clone()
	if f.tls == nil {
		f.tls = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	if f.tls.ServerName == "" {
		f.tls.ServerName = host
	}
	return nil
}

// forwardHost is where HOST may point: to the client's own machine. Others need
// Config.ForwardAnywhere.
func (c *conn) forwardHost(host string) (string, error) {
	own := c.source
	if own == "" {
		own = "127.0.0.1"
	}
	ip := net.ParseIP(host)
	switch {
	case host == "":
		return own, nil
	case c.b.cfg.ForwardAnywhere, host == own, ip != nil && ip.Equal(net.ParseIP(own)):
		return host, nil
	case c.local && (host == "localhost" || ip != nil && ip.IsLoopback()):
		return host, nil
	}
	return "", sam.Refusef(sam.ResultI2PError, "HOST=%.40s is not your own machine, and the bridge forwards to no other", host)
}

// take carries a stream to the server, in the background.
func (f *forward) take(st *streaming.Stream) {
	if f.s.enter() != nil {
		st.Reset()
		return
	}
	go func() {
		defer f.s.leave()
		f.carry(st)
	}()
}

func (f *forward) carry(st *streaming.Stream) {
	nc, err := f.dial()
	if err != nil {
		f.s.b.stats.forwardsFailed.Add(1)
		f.s.b.log.Debug("stream not forwarded", "server", f.addr, "error", err)
		st.Reset()
		return
	}
	defer nc.Close()
	if !f.silent {
		nc.SetWriteDeadline(time.Now().Add(f.s.b.cfg.Limits.WriteTime))
		if _, err := nc.Write(appendRemote(nil, st, f.minor)); err != nil {
			st.Reset()
			return
		}
	}
	nc.SetDeadline(noDeadline)
	f.s.b.stats.accepted.Add(1)
	newJoint(f.s, nc, st).run(nil)
}

func (f *forward) dial() (net.Conn, error) {
	ctx, cancel := context.WithTimeout(f.s.ctx, forwardTime)
	defer cancel()
	nc, err := f.s.b.dialServer(ctx, "tcp", f.addr)
	if err != nil || f.tls == nil {
		return nc, err
	}
	secure := tls.Client(nc, f.tls)
	if err := secure.HandshakeContext(ctx); err != nil {
		nc.Close()
		return nil, err
	}
	return secure, nil
}

// end undoes onStreamForward.
func (f *forward) end() { f.s.door.endForward(f) }
