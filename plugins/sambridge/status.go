package sambridge

import "sync/atomic"

// counters are since New.
type counters struct {
	sessions, connected, accepted atomic.Uint64
	refused, evicted              atomic.Uint64
	refusedStreams                atomic.Uint64
	forwardsFailed                atomic.Uint64
	wrongPasswords                atomic.Uint64
	// of datagrams, and RAW
	deliveredDatagrams, droppedDatagrams         atomic.Uint64
	sentDatagrams, unsentDatagrams, badDatagrams atomic.Uint64
}

// A Status is a snapshot of a Bridge. Counts are since New, but for Conns, Sessions and
// Streams, which are as of now.
type Status struct {
	// Conns are all connections of clients, with those that are streams.
	Conns int
	// Sessions are how many there are of each style, with subsessions.
	Sessions map[string]int
	// Streams are those that clients have now.
	Streams int
	// Created counts sessions, Connected and Accepted streams that were begun by
	// clients, and by remotes.
	Created, Connected, Accepted uint64
	// RefusedConns counts connections for which there was no place, Evicted those that
	// had to go since they did not begin.
	RefusedConns, Evicted uint64
	// RefusedStreams counts those for which there was no place or no ACCEPT,
	// ForwardsFailed those whose server could not be reached.
	RefusedStreams, ForwardsFailed uint64
	// WrongPasswords counts HELLOs with one, or with none that needed one.
	WrongPasswords uint64
	// DeliveredDatagrams counts those that clients were given, DroppedDatagrams those
	// that one did not take in time.
	DeliveredDatagrams, DroppedDatagrams uint64
	// SentDatagrams counts those that were handed on for a client, UnsentDatagrams those
	// that were not, since no router was ready or fast enough, or nobody was found to
	// send them to. BadDatagrams came by UDP and made no sense, or named no session that
	// their sender may use.
	SentDatagrams, UnsentDatagrams, BadDatagrams uint64
}

// Status is a snapshot.
func (b *Bridge) Status() Status {
	c := &b.stats
	s := Status{
		Conns:   b.crowd.len(),
		Created: c.sessions.Load(), Connected: c.connected.Load(), Accepted: c.accepted.Load(),
		RefusedConns: c.refused.Load(), Evicted: c.evicted.Load(),
		RefusedStreams: c.refusedStreams.Load(), ForwardsFailed: c.forwardsFailed.Load(),
		WrongPasswords: c.wrongPasswords.Load(), DroppedDatagrams: c.droppedDatagrams.Load(),
		DeliveredDatagrams: c.deliveredDatagrams.Load(), SentDatagrams: c.sentDatagrams.Load(),
		UnsentDatagrams: c.unsentDatagrams.Load(), BadDatagrams: c.badDatagrams.Load(),
		Sessions: map[string]int{},
	}
	for _, ss := range b.sessions.all() {
		s.Sessions[ss.Style.String()]++
		s.Streams += int(ss.streams.Load())
	}
	return s
}
