package i2cp

import "sync/atomic"

// Stats are counts since the Client was made.
type Stats struct {
	// Sessions counts the sessions that routers made.
	Sessions uint64
	// Sent counts messages given to the connection, Dropped those that Send
	// refused for lack of a session or of room.
	Sent, Dropped uint64
	// Received counts messages given to the Handler.
	Received uint64
	// Malformed counts frames and payloads that could not be read.
	Malformed uint64
	// Ignored counts frames of unknown types and of other sessions.
	Ignored uint64
}

type counters struct {
	sessions, sent, dropped, received, malformed, ignored atomic.Uint64
}

// Stats returns the counts as they are now.
func (c *Client) Stats() Stats {
	n := &c.counters
	return Stats{
		Sessions:  n.sessions.Load(),
		Sent:      n.sent.Load(),
		Dropped:   n.dropped.Load(),
		Received:  n.received.Load(),
		Malformed: n.malformed.Load(),
		Ignored:   n.ignored.Load(),
	}
}
