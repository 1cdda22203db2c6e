package streaming

import (
	"net"
	"sync"
	"time"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/datagram"
)

// A state is where a stream is:
//
//	dialling --SYN reply--> open --both closed and acked--> ended
//	    \_____________reset, timeout____|_____________________^
//
// A stream that a remote began is open from the start. One that has ended
// lingers in the Stack's tables for a while.
type state uint8

const (
	dialling state = iota
	open
	ended
)

// A Stream is one stream. All methods may be called by many goroutines.
type Stream struct {
	stack                 *Stack
	remote                *Remote
	localPort, remotePort uint16
	id                    uint32        // ours
	syn                   synKey        // if the remote began it
	dialled               chan struct{} // closed when it is no longer dialling

	mu                sync.Mutex
	canRead, canWrite sync.Cond
	state             state
	err               error // why it ended; nil if both sides closed
	remoteID          uint32
	transient         *Remote // the remote with its transient key, if it has one
	origin            *datagram.Origin
	proven            bool // the remote surely wants what we send
	heard             bool // a packet had our ID
	appClosed         bool // Close was called
	readBy, writeBy   deadline

	// What is sent:
	queue       ring[*segment] // oldest without an ack first; the first sent ones have been sent
	sent        int
	una         uint32 // sequence number of the first in queue
	buffered    int    // bytes in queue
	inFlight    int    // sent, neither acked nor lost
	lost        int    // to be sent again
	payload     int    // most that is sent in a packet
	closeQueued bool
	closeAcked  bool
	choked      bool     // the remote cannot take more
	last        *segment // last data that was acked, to be sent again for a sign of life
	congestion  congestion

	// The newest that was acked, by when it was sent, and its round trip.
	newestSent, newestRTT time.Duration
	newestSeq             uint32

	receiver receiver

	timer                        *time.Timer
	armed                        time.Duration // when the timer ends, 0 if it is not running
	due                          times
	lastHeard, lastData, lastAck time.Duration
	unacked                      int           // packets since the last ack
	ackedAt                      time.Duration // when that was
	nudges, probes               int
	answers                      int // that were sent since it ended
}

// times are when something has to be done; 0 is never.
type times struct {
	ack     time.Duration // send an ack
	retry   time.Duration // nothing was acked: send again
	late    time.Duration // what has not arrived by then is lost
	send    time.Duration // the next packet may go
	giveUp  time.Duration // the remote has taken too long to ack
	idle    time.Duration // the remote is asked for a sign of life
	closing time.Duration // the application closed and the remote does not
}

// next is the first of them, or 0.
func (t *times) next() time.Duration {
	var first time.Duration
	for _, at := range [...]time.Duration{t.ack, t.retry, t.late, t.send, t.giveUp, t.idle, t.closing} {
		if at != 0 && (first == 0 || at < first) {
			first = at
		}
	}
	return first
}

// reached says whether at has come.
func reached(at, now time.Duration) bool { return at != 0 && at <= now }

func (s *Stack) newStream(o *datagram.Origin, remote *Remote, localPort, remotePort uint16) *Stream {
	now := s.now()
	st := &Stream{
		stack: s, remote: remote, localPort: localPort, remotePort: remotePort, origin: o,
		payload:    min(defaultPayload, s.cfg.MaxPayload),
		congestion: newCongestion(),
		lastHeard:  now,
	}
	st.canRead.L, st.canWrite.L = &st.mu, &st.mu
	st.readBy.cond, st.writeBy.cond = &st.canRead, &st.canWrite
	return st
}

// Remote is who is at the other end.
func (st *Stream) Remote() *Remote { return st.remote }

// LocalAddr is an *i2p.Addr.
func (st *Stream) LocalAddr() net.Addr { return addrOf(st.stack.self, st.localPort) }

// RemoteAddr is an *i2p.Addr.
func (st *Stream) RemoteAddr() net.Addr { return addrOf(st.remote, st.remotePort) }

func addrOf(r *Remote, port uint16) *i2p.Addr {
	return &i2p.Addr{Destination: r.Destination, Hash: r.Hash, Port: port}
}

// SetDeadline is SetReadDeadline and SetWriteDeadline.
func (st *Stream) SetDeadline(t time.Time) error {
	st.SetReadDeadline(t)
	return st.SetWriteDeadline(t)
}

// SetReadDeadline has pending and later Reads end at t.
func (st *Stream) SetReadDeadline(t time.Time) error { return st.setDeadline(&st.readBy, t) }

// SetWriteDeadline has pending and later Writes end at t.
func (st *Stream) SetWriteDeadline(t time.Time) error { return st.setDeadline(&st.writeBy, t) }

var _ net.Conn = (*Stream)(nil)
