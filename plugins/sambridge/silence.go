package sambridge

import (
	"strconv"
	"time"

	"github.com/onelease/onelease/i2p/sam"
)

// waits says that the connection's time is not limited any more.
func (c *conn) waits() { c.nc.SetReadDeadline(noDeadline) }

// rearm sets the time until the next line must come: after HELLO, the limit for the
// command after it; later, the time of silence after which there is a PING.
func (c *conn) rearm() {
	switch limits := &c.b.cfg.Limits; {
	case !c.hello, !c.pinged.IsZero():
	case !c.began:
		c.nc.SetReadDeadline(time.Now().Add(limits.HelloTime))
	case c.minor >= 2:
		c.nc.SetReadDeadline(time.Now().Add(limits.PingTime))
	default:
		c.waits()
	}
}

// interrupt ends a wait that is to end: a deadline that was set just now may have undone
// what said so.
func (c *conn) interrupt() {
	if c.ending.Load() != nil || c.b.ctx.Err() != nil || c.evicted.Load() {
		c.nc.SetReadDeadline(longAgo)
	}
}

// silent says what to do about a deadline that has passed: nothing if it is for a PING.
func (c *conn) silent() error {
	switch e := c.ending.Load(); {
	case e != nil:
		return *e
	case c.evicted.Load():
		return sam.Refusef(sam.ResultI2PError, "too many connections have not begun; say HELLO at once")
	case c.b.ctx.Err() != nil:
		return sam.Refusef(sam.ResultI2PError, "the bridge is shutting down")
	case !c.began:
		return sam.Refusef(sam.ResultI2PError, "no command in %v", c.b.cfg.Limits.HelloTime)
	case !c.pinged.IsZero():
		return sam.Refusef(sam.ResultI2PError, "no PONG in %v", c.b.cfg.Limits.PingTime)
	}
	return c.ping()
}

// ping asks the client for a sign of life. Java ends all that do not answer; here those
// that have something to lose, and never showed that they know PING, live on: not all
// client libraries do.
func (c *conn) ping() error {
	c.pinged = time.Now()
	err := c.send(func(b []byte) []byte {
		return sam.AppendText(b, sam.KindPing, strconv.AppendInt(nil, c.pinged.UnixMilli(), 10))
	})
	if c.pings || c.session == nil && c.forward == nil {
		c.nc.SetReadDeadline(c.pinged.Add(c.b.cfg.Limits.PingTime))
	} else {
		c.waits()
	}
	return err
}
