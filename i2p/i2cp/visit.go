package i2cp

import (
	"context"
	"sync"
	"time"

	"github.com/onelease/onelease/i2p"
)

// Visit connects to a router without making a session, and calls f with a Client
// that can look up and nothing else: for who has no Destination. cfg needs no
// SignedConfig. i2pd then looks in the netDB by its shared Destination, Java I2P by
// its own tunnels. The connection ends with f, and f's context with the connection.
// The errors are those of connecting, such as ErrUnreachable, ErrUnauthorized and
// ErrUnresponsive, those of a connection that is lost, and f's.
func Visit(ctx context.Context, cfg Config, f func(context.Context, *Client) error) error {
	c := New(cfg, visitor{})
	s, err := c.open(ctx)
	if err != nil {
		return err
	}
	s.id = NoSession
	var serving sync.WaitGroup
	defer serving.Wait()
	defer s.close()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(ctx, func() { s.conn.Close() })()
	if err := s.greet(); err != nil {
		return err
	}
	s.conn.SetReadDeadline(time.Time{})
	c.current.Store(s)
	serving.Go(func() { cancel(s.serve(context.WithoutCancel(ctx))) })
	if err = f(ctx, c); err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// A visitor is told nothing, having no session.
type visitor struct{}

func (visitor) SessionUp()                   {}
func (visitor) SessionDown(error)            {}
func (visitor) LeasesRequested([]i2p.Lease)  {}
func (visitor) Message(Payload)              {}
func (visitor) MessageStatus(uint32, Status) {}

var _ Handler = visitor{}
