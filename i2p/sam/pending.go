package sam

import "sync"

// pendingSize is how many packets may wait for their status. A router answers
// within a minute or never; at 4,000 packets/s this is 16 s.
const pendingSize = 1 << 16

// pending has the packets whose status is owed, in a ring: the newest takes
// the place of the oldest.
type pending struct {
	mu    sync.Mutex
	last  uint32
	slots []owed
}

// owed is a packet that the Host knows by id, and its client by theirs.
type owed struct {
	id, theirs uint32
	c          *conn
}

// put returns the id for a packet, and what had its place.
func (r *pending) put(c *conn, theirs uint32) (id uint32, lost owed) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.slots == nil {
		r.slots = make([]owed, pendingSize)
	}
	if r.last++; r.last == 0 {
		r.last = 1
	}
	slot := &r.slots[r.last%pendingSize]
	lost, *slot = *slot, owed{r.last, theirs, c}
	return r.last, lost
}

// take removes and returns what id stands for, if it is still there.
func (r *pending) take(id uint32) (owed, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if id == 0 || r.slots == nil || r.slots[id%pendingSize].id != id {
		return owed{}, false
	}
	slot := &r.slots[id%pendingSize]
	found := *slot
	*slot = owed{}
	return found, true
}

// forget drops what is owed to a connection that ends.
func (r *pending) forget(c *conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range r.slots {
		if r.slots[i].c == c {
			r.slots[i] = owed{}
		}
	}
}

// expect returns the ID under which the Host is to report on a packet. If that
// takes the place of one that is still open, its client is told TIMEOUT.
func (s *Server) expect(c *conn, theirs uint32) uint32 {
	id, lost := s.pending.put(c, theirs)
	if lost.c != nil {
		lost.c.rawStatus(lost.theirs, ResultTimeout)
	}
	return id
}

// Status reports what became of the packet that the Host got with id: nil if
// it was handed on, or an error that may wrap a Result. An id that is unknown,
// or no longer known, is ignored.
func (s *Server) Status(id uint32, err error) {
	if o, ok := s.pending.take(id); ok {
		o.c.rawStatus(o.theirs, err)
	}
	s.endPing(id, err)
}
