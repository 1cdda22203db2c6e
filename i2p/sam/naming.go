package sam

import (
	"context"
	"errors"
	"time"

	"github.com/onelease/onelease/i2p"
)

const (
	// maxLookups is how many lookups one client may have under way.
	maxLookups = 32
	// lookupTime ends a lookup that the Host does not.
	lookupTime = time.Minute
)

// onNamingLookup answers at once what needs no router, and the rest when the
// Host knows, in whatever order; meanwhile the connection goes on.
func (c *conn) onNamingLookup() error {
	name := c.cmd.Value("NAME")
	d, err, known := c.lookupLocal(name)
	if known {
		c.namingReply(name, d, err)
		return nil
	}
	if !c.startLookup(name, func(d i2p.Destination, err error) { c.namingReply(name, d, err) }) {
		c.namingReply(name, d, Refusef(ResultI2PError, "%d lookups are under way; wait for one", maxLookups))
	}
	return nil
}

// lookupLocal resolves what takes no lookup: ME, base64, and what is cached.
func (c *conn) lookupLocal(name string) (d i2p.Destination, err error, known bool) {
	switch {
	case name == "":
		return d, Refusef(ResultInvalidKey, "NAME is missing"), true
	case name == "ME":
		d, up := c.s.cfg.Host.Destination()
		if !up {
			err = Refusef(ResultI2PError, "the router is down; use another frontend or try again")
		}
		return d, err, true
	case isBase64([]byte(name)):
		d, err := c.decode([]byte(name))
		return d, err, true
	}
	d, known = c.dests.find([]byte(name))
	return d, nil, known
}

// startLookup asks the Host in a goroutine of its own and passes on the
// answer; false says that too many are under way.
func (c *conn) startLookup(name string, done func(i2p.Destination, error)) bool {
	select {
	case c.slots <- struct{}{}:
	default:
		return false
	}
	go func() {
		defer func() { <-c.slots }()
		ctx, cancel := context.WithTimeout(c.ctx, lookupTime)
		defer cancel()
		d, err := c.s.cfg.Host.Lookup(ctx, name)
		if _, e := i2p.ParseBase32(name); err == nil && e == nil {
			c.dests.put(name, d)
		}
		done(d, lookupError(err))
	}()
	return true
}

// lookupError gives an error of the Host the Result that it stands for.
func lookupError(err error) error {
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return Refusef(ResultTimeout, "%v", err)
	case errors.Is(err, i2p.ErrInvalid), errors.Is(err, i2p.ErrUnsupported):
		return Refusef(ResultInvalidKey, "%v", err)
	}
	return err
}

func (c *conn) namingReply(name string, d i2p.Destination, err error) {
	c.w.Append(func(b []byte) []byte {
		b = AppendOption(AppendCommand(b, KindNamingReply), "RESULT", string(ResultOf(err)))
		b = AppendOption(b, "NAME", name)
		if err == nil {
			b = AppendOption(b, "VALUE", d.Base64())
		} else {
			b = AppendOption(b, "MESSAGE", err.Error())
		}
		return append(b, '\n')
	})
}

// isBase64 tells the base64 of a Destination from a name. The shortest has
// 516 characters, the longest host name 255.
func isBase64(name []byte) bool { return len(name) > 255 }

// decode is the Destination of a base64, from the cache if it is there.
func (c *conn) decode(name []byte) (i2p.Destination, error) {
	if d, ok := c.dests.find(name); ok {
		return d, nil
	}
	d, err := i2p.ParseDestinationBase64(string(name))
	if err != nil {
		return d, Refusef(ResultInvalidKey, "%v", err)
	}
	c.dests.put(string(name), d)
	return d, nil
}
