package streaming

import (
	"net"
	"time"
)

const (
	// lingerTime is how long a stream that has ended is remembered, for packets
	// that come late: a SYN that is on its way twice must not begin it again,
	// and a CLOSE whose ack was lost wants another.
	lingerTime = time.Minute
	// maxLinger is how many of them are remembered.
	maxLinger = 2048
)

// add puts a new stream into the tables, with an ID.
func (s *Stack) add(st *Stream) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed.Load() {
		return net.ErrClosed
	}
	if !s.addLocked(st) {
		return errNoID
	}
	return nil
}

// addLocked returns false if there is no ID left.
func (s *Stack) addLocked(st *Stream) bool {
	const tries = 1000 // more than are needed while one ID in a hundred is free
	for n := 0; st.id == 0 || s.streams[st.id] != nil; n++ {
		if n == tries {
			return false
		}
		st.id = s.cfg.NewID()
	}
	s.streams[st.id] = st
	byID := s.remotes[st.remote.Hash]
	if byID == nil {
		byID = make(map[uint32]*Stream)
		s.remotes[st.remote.Hash] = byID
	}
	byID[st.id] = st
	s.open++
	return true
}

// find is the stream with that ID of ours, or nil.
func (s *Stack) find(id uint32) *Stream {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.streams[id]
}

// findSync is the stream that a SYN of remote with that ID began, or nil.
func (s *Stack) findSync(remote *Remote, id uint32) *Stream {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.begun[synKey{remote.Hash, id}]
}

// findEager is a stream that a remote with that ID began, or nil.
func (s *Stack) findEager(id uint32) *Stream {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.eager[id]
}

// A lingering stream has ended at some time.
type lingering struct {
	stream *Stream
	at     time.Duration
}

// linger takes st, which has ended, out of what counts as open, and forgets
// those that have lingered for long enough. There is no timer for that.
func (s *Stack) linger(st *Stream, now time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.streams[st.id] != st {
		return
	}
	s.closeLocked(st)
	s.ended.push(lingering{st, now})
	for s.ended.len() > maxLinger || now-s.ended.at(0).at > lingerTime {
		s.forgetLocked(s.ended.pop().stream)
	}
}

// closeLocked takes st out of what counts as open.
func (s *Stack) closeLocked(st *Stream) {
	byID := s.remotes[st.remote.Hash]
	if byID[st.id] != st {
		return
	}
	s.open--
	delete(byID, st.id)
	if len(byID) == 0 {
		delete(s.remotes, st.remote.Hash)
	}
}

// forget takes st out of all tables.
func (s *Stack) forget(st *Stream) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forgetLocked(st)
}

func (s *Stack) forgetLocked(st *Stream) {
	if s.streams[st.id] != st {
		return
	}
	s.closeLocked(st)
	delete(s.streams, st.id)
	if s.begun[st.syn] == st {
		delete(s.begun, st.syn)
	}
	if s.eager[st.syn.id] == st {
		delete(s.eager, st.syn.id)
	}
}
