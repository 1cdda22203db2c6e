package guest

import (
	"context"
	"fmt"
	"time"

	"github.com/hashicorp/yamux"

	"github.com/onelease/onelease/i2p"
)

// request opens a stream that begins with h and with more, and reads the reply.
func (c *Client) request(session *yamux.Session, h header, more []byte, patience time.Duration) (stream, []byte, error) {
	opened, err := session.OpenStream()
	if err != nil {
		return stream{}, nil, fmt.Errorf("frontend %s: %w", c.cfg.Name, err)
	}
	st := stream{opened}
	st.SetDeadline(time.Now().Add(patience))
	h.instance = c.instance
	var text []byte
	if _, err = st.Write(append(h.append(nil), more...)); err == nil {
		text, err = readReply(st)
	}
	if err != nil {
		st.Close()
		return stream{}, nil, fmt.Errorf("frontend %s: %w", c.cfg.Name, err)
	}
	st.SetDeadline(time.Time{})
	return st, text, nil
}

// Lookup resolves a b32 address or a host name by the frontend's router. It fails with
// ErrUnknown if that does not know it, and at once if there is no connection.
func (c *Client) Lookup(ctx context.Context, name string) (i2p.Destination, error) {
	session, reason, _ := c.now()
	if session == nil {
		return i2p.Destination{}, fmt.Errorf("frontend %s: %w", c.cfg.Name, reason)
	}
	if len(name) > maxName {
		return i2p.Destination{}, refuse(resultUnknown, "a name of %d bytes: want %d at most", len(name), maxName)
	}
	patience := lookupTime + shakeTime
	if until, ok := ctx.Deadline(); ok {
		patience = min(patience, time.Until(until))
	}
	st, text, err := c.request(session, header{kind: kindLookup}, appendName(nil, name), patience)
	if err != nil {
		return i2p.Destination{}, err
	}
	st.Close()
	dest, n, err := i2p.ParseDestination(text)
	if err != nil || n != len(text) {
		return i2p.Destination{}, fmt.Errorf("frontend %s: %w: no Destination", c.cfg.Name, errReply)
	}
	return dest, nil
}
