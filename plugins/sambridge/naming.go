package sambridge

import (
	"context"
	"errors"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/i2cp"
	"github.com/onelease/onelease/i2p/sam"
)

// maxLookups is how many lookups a connection may have under way.
const maxLookups = 32

// onNamingLookup answers at once what needs no router. The rest is answered when it is
// known, in whatever order, while the connection goes on; on one without a session, which
// may become a stream, what comes after it waits.
func (c *conn) onNamingLookup() error {
	name := c.cmd.Value("NAME")
	options, err := c.cmd.Bool("OPTIONS", false)
	if err != nil {
		return c.namingReply(name, sam.Named{}, sam.Refusef(sam.ResultI2PError, "%v", err))
	}
	found, err, known := c.lookupLocal(name, options)
	if known {
		return c.namingReply(name, found, err)
	}
	if c.session == nil {
		here := c.meanwhile(func(ctx context.Context) { found, err = c.b.lookup(ctx, nil, name, options) })
		if !here {
			return errQuit
		}
		return c.namingReply(name, found, err)
	}
	return c.lookupBeside(c.session, name, options)
}

// lookupBeside looks a name up beside the reading of the connection.
func (c *conn) lookupBeside(s *session, name string, options bool) error {
	if c.lookups == nil {
		c.lookups = make(chan struct{}, maxLookups)
	}
	slots := c.lookups
	select {
	case slots <- struct{}{}:
	default:
		return c.namingReply(name, sam.Named{}, sam.Refusef(sam.ResultI2PError, "%d lookups are under way; wait for one", maxLookups))
	}
	go func() {
		defer func() { <-slots }()
		found, err := c.b.lookup(s.ctx, s, name, options)
		if s.ctx.Err() == nil {
			c.namingReply(name, found, err)
		}
	}()
	return nil
}

// lookupLocal resolves what takes no lookup: ME, and base64 without options.
func (c *conn) lookupLocal(name string, options bool) (found sam.Named, err error, known bool) {
	switch {
	case name == "":
		return found, sam.Refusef(sam.ResultInvalidKey, "NAME is missing"), true
	case name == "ME" && c.session == nil:
		return found, sam.Refusef(sam.ResultKeyNotFound, "ME is who has a session on this connection; begin with SESSION CREATE"), true
	case name == "ME":
		found.Destination = c.session.Hosted.Keys().Destination
		if options {
			found.Options = c.session.Hosted.LeaseSetOptions()
		}
		return found, nil, true
	case formOf(name) != inBase64:
		err := checkName(name)
		return found, err, err != nil
	}
	found.Destination, err = i2p.ParseDestinationBase64(name)
	if err != nil {
		err = sam.Refusef(sam.ResultInvalidKey, "NAME: %v", err)
	}
	return found, err, err != nil || !options
}

// lookup asks the routers: by a session's Destination, or by none.
func (b *Bridge) lookup(ctx context.Context, s *session, name string, options bool) (found sam.Named, err error) {
	ctx, cancel := context.WithTimeout(ctx, lookupTime)
	defer cancel()
	byHash := formOf(name) != byName
	if formOf(name) == inBase64 {
		dest, err := i2p.ParseDestinationBase64(name)
		if err != nil {
			return found, err
		}
		name = dest.Base32()
	}
	switch {
	case s == nil && options:
		found.Destination, found.Options, err = b.cfg.Hosting.LookupOptions(ctx, name)
	case s == nil:
		found.Destination, err = b.cfg.Hosting.Lookup(ctx, name)
	case options:
		found.Destination, found.Options, err = s.Hosted.Host().LookupOptions(ctx, name)
	default:
		found.Destination, err = s.Hosted.Host().Lookup(ctx, name)
	}
	if err == nil {
		return found, nil
	}
	result := lookupResult(err)
	if result == sam.ResultKeyNotFound && options && byHash {
		result = sam.ResultLeaseSetNotFound // there is nothing else that can be missing
	}
	return found, sam.Refusef(result, "%v", err)
}

// lookupResult is the Result that an error of a lookup stands for.
func lookupResult(err error) sam.Result {
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return sam.ResultTimeout
	case errors.Is(err, i2p.ErrInvalid), errors.Is(err, i2p.ErrUnsupported):
		return sam.ResultInvalidKey
	case errors.Is(err, i2cp.ErrNoLeaseSet): // of a lookup without a session
		return sam.ResultLeaseSetNotFound
	case errors.Is(err, i2cp.ErrNotFound):
		return sam.ResultKeyNotFound
	}
	return sam.ResultOf(err)
}

func (c *conn) namingReply(name string, found sam.Named, err error) error {
	return c.send(func(b []byte) []byte { return sam.AppendNamingReply(b, name, found, err) })
}
