package raftstate

import "github.com/hashicorp/raft"

func isLeaderChange(o *raft.Observation) bool {
	switch o.Data.(type) {
	case raft.LeaderObservation, raft.RaftState:
		return true
	}
	return false
}

// LeaderChanged returns a channel that is closed when Leader may next say
// something else, on followers too, and when the node fails. Take it before
// Leader is asked, so that no change is missed.
func (s *Store) LeaderChanged() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changed
}

// Failed returns a channel that is closed if this node stops for good before
// Close, because it has met a command or a snapshot of a version that it does
// not read. Err tells.
func (s *Store) Failed() <-chan struct{} { return s.replica.failed }

// Err is why the node has failed, an ErrVersion, or nil.
func (s *Store) Err() error { return s.replica.failure() }

// watch ends with Close, or with the node's failure, whose raft it shuts down:
// a node that applies nothing must not vote, lead, or count to a majority.
func (s *Store) watch() {
	defer close(s.watched)
	for {
		select {
		case <-s.observed: // whatever was dropped after it, announce sees
			s.announce()
		case <-s.replica.failed:
			s.logger.Error("this node has failed", "error", s.Err())
			s.halt(s.Err())
			s.announce()
			return
		case <-s.closing:
			return
		}
	}
}

// announce wakes who waits for a change, and says when membership is lost,
// which raft would say at debug level, or not at all.
func (s *Store) announce() {
	member := isMember(s.raft.GetConfiguration().Configuration(), s.id)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.wasMember && !member {
		s.logger.Warn("this node has been removed from the cluster, and is idle", "node", s.id)
	}
	s.wasMember = member
	close(s.changed)
	s.changed = make(chan struct{})
}
