package sambridge

import (
	"context"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/onelease/onelease"
	"github.com/onelease/onelease/i2p/sam"
)

// A session is a Destination that a client brought, or a subsession of a PRIMARY one.
// It lives as long as the control connection that made it, its owner.
//
//	new --add--> opening --a router is ready--> ready --owner or Destination is lost--> ended
//
// What is set before it is ready does not change later, but for what stands below mu.
type session struct {
	b    *Bridge
	ID   string
	User string
	// Style is what the session is for; that of a PRIMARY only has subsessions.
	Style  style
	Hosted *onelease.Hosted
	// signatureType is of the keys that open makes if the client brought none.
	signatureType string
	// owner is the connection that datagrams go to.
	owner *conn
	// primary is whose subsession this is, nil for others.
	primary *session
	ports

	// ready says that Hosted is there.
	ready atomic.Bool
	// published says that nobody needs to wait for the LeaseSet to be published any more.
	published atomic.Bool
	// dontPublish keeps the LeaseSet out of the netDB: the client wants it so.
	dontPublish bool
	// connectTime bounds STREAM CONNECT.
	connectTime time.Duration
	door        door
	packets     packets
	// streams is how many it has, with those of its subsessions.
	streams atomic.Int64
	running sync.WaitGroup // of streams; no Add once ended

	// ctx ends with the session, when its streams have had their moment.
	ctx    context.Context
	cancel context.CancelFunc

	once sync.Once // of end

	mu    sync.Mutex
	ended bool
	subs  map[string]*session // of a PRIMARY, by ID
}

// newSession returns one that ends with ctx at the latest.
func newSession(ctx context.Context, c *conn) *session {
	s := &session{b: c.b, ID: c.cmd.Value("ID"), User: c.user, owner: c}
	s.ctx, s.cancel = context.WithCancel(ctx)
	s.connectTime = c.b.cfg.Limits.ConnectTime
	s.door.s = s
	return s
}

// root is the session that has the Destination.
func (s *session) root() *session {
	if s.primary != nil {
		return s.primary
	}
	return s
}

// enter counts a stream in, or says why there can be none.
func (s *session) enter() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	root, limit := s.root(), int64(s.b.cfg.Limits.Streams)
	switch {
	case s.ended:
		return sam.Refusef(sam.ResultInvalidID, "the session has ended")
	case root.streams.Add(1) > limit:
		root.streams.Add(-1)
		s.b.stats.refusedStreams.Add(1)
		return sam.Refusef(sam.ResultI2PError, "the session has %d streams already; close some", limit)
	}
	s.running.Add(1)
	return nil
}

// leave takes a stream out that enter has counted.
func (s *session) leave() {
	s.root().streams.Add(-1)
	s.running.Done()
}

// end ends the session and all that belongs to it. What its client has written to
// streams that it has closed still goes out.
//
// The order: nothing new (retire), a moment for streams whose client ends with the
// session, the rest of the streams, the Destination.
func (s *session) end() {
	s.retire()
	s.once.Do(func() {
		var group sync.WaitGroup
		for _, sub := range s.subsessions() {
			group.Go(sub.end)
		}
		group.Wait()
		s.settle()
		if s.primary == nil && s.Hosted != nil {
			s.b.sessions.close(s.Hosted)
		}
	})
}

// retire has nothing new begin, and leaves the ID to others.
func (s *session) retire() {
	s.mu.Lock()
	first := !s.ended
	s.ended = true
	s.ready.Store(false)
	s.mu.Unlock()
	if !first {
		return
	}
	for _, sub := range s.subsessions() {
		sub.retire()
	}
	s.door.close()
	s.endPackets()
	s.b.sessions.retire(s)
}

func (s *session) subsessions() []*session {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Collect(maps.Values(s.subs))
}

// settleTime is what streams have to end whose client closes them and the session at
// once, as a program does that ends.
const settleTime = 300 * time.Millisecond

// settle waits for the streams, but not long: then they are ended.
func (s *session) settle() {
	timer := time.AfterFunc(settleTime, s.cancel)
	defer timer.Stop()
	s.running.Wait()
	s.cancel()
}

// watch ends the owner's connection when the Destination is served no more.
func (s *session) watch() {
	select {
	case <-s.Hosted.Done():
		s.owner.end(sam.Refusef(sam.ResultI2PError, "the Destination is served no more; create the session anew"))
	case <-s.ctx.Done():
	}
}
