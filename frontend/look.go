package frontend

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/onelease/onelease/balancer/controlpb"
	"github.com/onelease/onelease/i2p/i2cp"
)

// lookTime bounds a look into the netDB. i2pd 2.45.1 may take 40 s to find nothing; a
// balancer waits for a minute.
const lookTime = 45 * time.Second

// look implements controlEvents.
func (f *Frontend) look(id uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.running.Err() == nil && f.looking.TryLock() { // else a leader of before has asked, and the new one asks again
		f.probing.Go(func() {
			defer f.looking.Unlock()
			f.control.reply(&controlpb.FrontendMessage{Kind: &controlpb.FrontendMessage_LookReply{LookReply: f.lookAtNetDB(id)}})
		})
	}
}

// lookAtNetDB looks the Destination up without a session, as a stranger would: asked
// within that of the Destination, Java I2P answers out of its own store, since it has
// the LeaseSet that we gave it.
func (f *Frontend) lookAtNetDB(id uint64) *controlpb.LookReply {
	reply := &controlpb.LookReply{Id: id}
	ctx, cancel := context.WithTimeout(f.running, lookTime)
	defer cancel()
	dest, _ := f.leases.serving()
	err := i2cp.Visit(ctx, f.cfg.Router.client(slog.New(slog.DiscardHandler), nil), func(ctx context.Context, c *i2cp.Client) error {
		_, err := c.LookupHash(ctx, dest.Hash())
		return err
	})
	switch {
	case err == nil:
		reply.Found = true
	case !errors.Is(err, i2cp.ErrNotFound):
		reply.Error = err.Error()
	}
	return reply
}
