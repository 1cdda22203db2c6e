package sambridge

import (
	"context"
	"time"

	"github.com/onelease/onelease/i2p/sam"
	"github.com/onelease/onelease/i2p/streaming"
)

// onStreamAccept waits for a stream of a remote, and carries it.
func (c *conn) onStreamAccept() error {
	silent, err := c.readSilent()
	if err != nil {
		return c.refuseStream(false, err)
	}
	s, err := c.streamSession()
	if err != nil {
		return c.refuseStream(silent, err)
	}
	w, err := s.door.wait(c.minor)
	if err != nil {
		return c.refuseStream(silent, err)
	}
	if !c.awaitPublished(s) || !silent && c.reply(sam.KindStreamStatus, nil) != nil {
		s.door.leave(w)
		return errQuit
	}
	st := c.awaitStream(s, w)
	if st == nil {
		return errDone
	}
	return c.accept(s, st, silent)
}

// awaitPublished waits until others can find the session, since that is what OK says to a
// client: the first ACCEPT or FORWARD is what has it published. False says that the client
// has gone.
func (c *conn) awaitPublished(s *session) (here bool) {
	if s.published.Load() {
		return true
	}
	return c.meanwhile(func(ctx context.Context) { s.awaitPublished(ctx) })
}

// awaitPublished waits, but not for ever: the client may try its luck.
func (s *session) awaitPublished(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, publishTime)
	defer cancel()
	defer context.AfterFunc(s.ctx, cancel)()
	if err := s.Hosted.AwaitPublished(ctx); err != nil {
		s.b.log.Debug("not published yet", "error", err)
	}
	s.published.Store(true)
}

// publishTime is how long a client waits for the LeaseSet to be published. The tunnels of
// a router that publishes take as long as those of one that serves.
const publishTime = 20 * time.Second

// awaitStream returns nil if the session ends, or the client goes away. A stream that
// came just then goes to the next waiter.
func (c *conn) awaitStream(s *session, w *waiter) *streaming.Stream {
	var st *streaming.Stream
	c.waits()
	here := c.meanwhile(func(ctx context.Context) {
		select {
		case st = <-w.got:
		case <-ctx.Done():
			s.door.leave(w)
		}
	})
	if !here && st != nil {
		s.door.offer(st)
		return nil
	}
	return st
}

// accept carries a stream that has come.
func (c *conn) accept(s *session, st *streaming.Stream, silent bool) error {
	if err := s.enter(); err != nil {
		st.Reset()
		return errDone
	}
	defer s.leave()
	s.b.stats.accepted.Add(1)
	if !silent && c.send(func(b []byte) []byte { return appendRemote(b, st, c.minor) }) != nil {
		st.Reset()
		return errQuit
	}
	return c.carry(s, st, false)
}
