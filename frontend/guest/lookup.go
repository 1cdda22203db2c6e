package guest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/i2cp"
)

// lookupTime is how long a router may look for a name: i2pd gives up after 12 s.
const lookupTime = 20 * time.Second

// maxName is the longest name that can be looked up, in bytes.
const maxName = 255

// A Found is what a router knows of a name.
type Found struct {
	Destination i2p.Destination
	// Options are those of its LeaseSet, nil if they were not asked for or the router does
	// not tell them.
	Options i2p.Mapping
}

// lookup resolves a name for l's backend, by a connection to the router of its own: the
// router may have no session now.
func (l *line) lookup(st stream) error {
	name, options, err := readName(st)
	if err != nil {
		return err
	}
	cfg, err := l.server.cfg.Frontend()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(l.server.ctx, lookupTime)
	defer cancel()
	st.SetDeadline(time.Now().Add(lookupTime + shakeTime))
	r := cfg.Router
	var found Found
	err = i2cp.Visit(ctx, i2cp.Config{Addr: r.Addr, Dial: r.Dial, TLS: r.TLS, User: r.User, Password: r.Password, Logger: l.server.log},
		func(ctx context.Context, c *i2cp.Client) (err error) {
			if options {
				found.Destination, found.Options, err = c.LookupOptions(ctx, name)
			} else {
				found.Destination, err = c.LookupName(ctx, name)
			}
			return err
		})
	if errors.Is(err, i2cp.ErrNotFound) {
		return refuse(resultUnknown, "the router does not know the name")
	}
	text, err := appendFound(nil, found, err)
	if err != nil {
		return err
	}
	return l.accepted(st, text)
}

// The states of what was found.
const (
	foundDestination = iota // and the router says nothing of its options
	foundOptions
	foundNoLeaseSet // the Destination may be missing
)

// appendFound appends state 1 | Destination | options as a Mapping, as far as they are
// there. An error that is not i2cp.ErrNoLeaseSet is returned.
func appendFound(b []byte, f Found, err error) ([]byte, error) {
	switch {
	case errors.Is(err, i2cp.ErrNoLeaseSet):
		b = append(b, foundNoLeaseSet)
		if f.Destination.IsZero() {
			return b, nil
		}
	case err != nil:
		return nil, err
	case f.Options == nil:
		b = append(b, foundDestination)
	default:
		b = append(b, foundOptions)
	}
	b = append(b, f.Destination.Bytes()...)
	if b[0] == foundOptions {
		if b, err = f.Options.AppendTo(b); err != nil {
			return nil, err
		}
	}
	if len(b) > maxText {
		return nil, fmt.Errorf("what the router knows of the name has %d bytes, more than can be told", len(b))
	}
	return b, nil
}

// parseFound reads what appendFound writes. The error is also i2cp.ErrNoLeaseSet.
func parseFound(b []byte) (f Found, err error) {
	if len(b) == 0 || b[0] > foundNoLeaseSet {
		return f, errReply
	}
	state, b := b[0], b[1:]
	if state == foundNoLeaseSet {
		err = i2cp.ErrNoLeaseSet
	}
	if state == foundNoLeaseSet && len(b) == 0 {
		return f, err
	}
	dest, n, bad := i2p.ParseDestination(b)
	if bad == nil && state == foundOptions {
		var size int
		f.Options, size, bad = i2p.ParseMapping(b[n:])
		n += size
	}
	if bad != nil || n != len(b) {
		return Found{}, errReply
	}
	f.Destination = dest
	return f, err
}

// readName reads options 1 | length 1 | name.
func readName(r io.Reader) (name string, options bool, err error) {
	var b [2 + maxName]byte
	if _, err := io.ReadFull(r, b[:2]); err != nil {
		return "", false, err
	}
	text := b[2 : 2+int(b[1])]
	_, err = io.ReadFull(r, text)
	return string(text), b[0] != 0, err
}

// appendName appends what readName reads; a name is not longer than maxName.
func appendName(b []byte, name string, options bool) []byte {
	b = append(b, 0, byte(len(name)))
	if options {
		b[len(b)-2] = 1
	}
	return append(b, name...)
}

// Lookup resolves a b32 address or a host name by the frontend's router, with the options
// of its LeaseSet if that is wanted. It fails with i2cp.ErrNotFound if the router does not
// know it, i2cp.ErrNoLeaseSet as i2cp.Client.LookupOptions does, and at once if there
// is no connection.
func (c *Client) Lookup(ctx context.Context, name string, options bool) (Found, error) {
	session, _, reason := c.now()
	if session == nil {
		return Found{}, fmt.Errorf("frontend %s: %w", c.cfg.Name, reason)
	}
	if len(name) > maxName {
		return Found{}, fmt.Errorf("a name of %d bytes: %w: it is longer than %d", len(name), i2cp.ErrNotFound, maxName)
	}
	st, text, err := c.request(ctx, session, header{kind: kindLookup}, appendName(nil, name, options), lookupTime+shakeTime)
	if errors.Is(err, ErrUnknown) {
		return Found{}, fmt.Errorf("frontend %s: %w", c.cfg.Name, i2cp.ErrNotFound)
	}
	if err != nil {
		return Found{}, err
	}
	st.Close()
	found, err := parseFound(text)
	if err != nil {
		err = fmt.Errorf("frontend %s: %w", c.cfg.Name, err)
	}
	return found, err
}
