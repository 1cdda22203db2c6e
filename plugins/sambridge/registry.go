package sambridge

import (
	"context"
	"sync"

	"github.com/onelease/onelease"
	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/sam"
)

// A key names a session: IDs are each user's own.
type key struct{ user, id string }

// A registry has all sessions and subsessions by their names.
type registry struct {
	mu    sync.Mutex
	byKey map[key]*session
	// closing are Destinations of sessions that end, until they are off the routers.
	closing map[i2p.Hash]chan struct{}
}

// add enters s, or says that its ID is taken.
func (r *registry) add(s *session) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	k := key{s.User, s.ID}
	if r.byKey[k] != nil {
		return sam.Refusef(sam.ResultDuplicatedID, "there is a session %q; choose another ID", s.ID)
	}
	r.byKey[k] = s
	return nil
}

func (r *registry) removeLocked(s *session) {
	if k := (key{s.User, s.ID}); r.byKey[k] == s {
		delete(r.byKey, k)
	}
}

// retire gives the ID of s free. Until close has ended awaitClosed waits for its Destination.
func (r *registry) retire(s *session) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.removeLocked(s)
	if s.primary == nil && s.Hosted != nil {
		r.closing[s.Hosted.Keys().Destination.Hash()] = make(chan struct{})
	}
}

// find is the session of that name that is ready, or nil.
func (r *registry) find(user, id string) *session {
	r.mu.Lock()
	defer r.mu.Unlock()
	if s := r.byKey[key{user, id}]; s != nil && s.ready.Load() {
		return s
	}
	return nil
}

// findNameless is find for the user without a name, and an ID that is still in a read
// buffer. It does not allocate.
func (r *registry) findNameless(id []byte) *session {
	r.mu.Lock()
	defer r.mu.Unlock()
	if s := r.byKey[key{"", string(id)}]; s != nil && s.ready.Load() {
		return s
	}
	return nil
}

// all is a copy of the sessions that are ready.
func (r *registry) all() []*session {
	r.mu.Lock()
	defer r.mu.Unlock()
	sessions := make([]*session, 0, len(r.byKey))
	for _, s := range r.byKey {
		if s.ready.Load() {
			sessions = append(sessions, s)
		}
	}
	return sessions
}

// close takes a Destination off the routers.
func (r *registry) close(h *onelease.Hosted) {
	hash := h.Keys().Destination.Hash()
	h.Close()
	r.mu.Lock()
	done := r.closing[hash]
	delete(r.closing, hash)
	r.mu.Unlock()
	close(done)
}

// awaitClosed waits for a Destination that is being closed. False says that it is
// not, or that ctx has ended.
func (r *registry) awaitClosed(ctx context.Context, hash i2p.Hash) bool {
	r.mu.Lock()
	done := r.closing[hash]
	r.mu.Unlock()
	if done == nil {
		return false
	}
	select {
	case <-done:
		return true
	case <-ctx.Done():
		return false
	}
}
