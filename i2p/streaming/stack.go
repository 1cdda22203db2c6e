package streaming

import (
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/datagram"
)

// A Stack holds the streams of one Destination.
//
// Locks: a Stream's, then the Stack's or a listener's. The Stack's lock is for
// its tables only; nothing is signed, verified or sent with it.
type Stack struct {
	cfg      Config
	self     *Remote
	epoch    time.Time
	segments segmentPool
	scratch  sync.Pool // *[]byte, for packets that are not sent from a segment
	counters counters
	pings    tokens
	resets   tokens
	early    earlyPackets
	closed   atomic.Bool // set with the lock

	mu        sync.RWMutex
	open      int                // streams that have not ended
	streams   map[uint32]*Stream // by our ID; those that have just ended too
	begun     map[synKey]*Stream // those of them that remotes began
	eager     map[uint32]*Stream // the same by the remote's ID alone
	remotes   map[i2p.Hash]map[uint32]*Stream
	listeners map[uint16]*listener
	ended     ring[lingering]
	rates     rates
}

// A synKey is what a SYN is recognised by when it comes again.
type synKey struct {
	remote i2p.Hash
	id     uint32 // the remote's
}

// counters are what Stats shows.
type counters struct {
	accepted, dialled, refused           atomic.Uint64
	bytesIn, bytesOut                    atomic.Uint64
	packetsIn, packetsOut                atomic.Uint64
	retransmits, duplicates              atomic.Uint64
	resets, timeouts                     atomic.Uint64
	invalid, unsigned, unclaimed, choked atomic.Uint64
}

// New returns a Stack. It has no goroutine and no timer while it has no
// streams. An error is ErrConfig.
func New(cfg Config) (*Stack, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	s := &Stack{
		cfg:       cfg,
		self:      NewRemote(cfg.Origin.Destination),
		epoch:     time.Now(),
		segments:  segmentPool{size: cfg.MaxPayload},
		streams:   make(map[uint32]*Stream),
		begun:     make(map[synKey]*Stream),
		eager:     make(map[uint32]*Stream),
		remotes:   make(map[i2p.Hash]map[uint32]*Stream),
		listeners: make(map[uint16]*listener),
	}
	s.scratch.New = func() any { b := make([]byte, 0, 4096); return &b }
	s.rates.init(cfg.Limits)
	return s, nil
}

// now is the time since the Stack was made, which all times of streams are.
// It is never 0, which stands for no time.
func (s *Stack) now() time.Duration { return time.Since(s.epoch) + 1 }

// Streams is how many streams there are with that remote.
func (s *Stack) Streams(remote i2p.Hash) int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return len(s.remotes[remote])
}

// with is the streams with that remote.
func (s *Stack) with(remote i2p.Hash) []*Stream {
	s.mu.RLock()
	defer s.mu.RUnlock()
	streams := make([]*Stream, 0, len(s.remotes[remote]))
	for _, st := range s.remotes[remote] {
		streams = append(streams, st)
	}
	return streams
}

// Close resets all streams and closes all listeners.
func (s *Stack) Close() error {
	s.mu.Lock()
	s.closed.Store(true)
	streams := make([]*Stream, 0, len(s.streams))
	for _, st := range s.streams {
		streams = append(streams, st)
	}
	listeners := make([]*listener, 0, len(s.listeners))
	for _, l := range s.listeners {
		listeners = append(listeners, l)
	}
	s.mu.Unlock()
	for _, l := range listeners {
		l.Close()
	}
	for _, st := range streams {
		st.abort(net.ErrClosed)
		s.forget(st)
	}
	return nil
}

// Stats is a snapshot of counters.
func (s *Stack) Stats() Stats {
	c := &s.counters
	s.mu.RLock()
	open := s.open
	s.mu.RUnlock()
	return Stats{
		Open:     open,
		Accepted: c.accepted.Load(), Dialled: c.dialled.Load(),
		Refused: c.refused.Load(),
		BytesIn: c.bytesIn.Load(), BytesOut: c.bytesOut.Load(),
		PacketsIn: c.packetsIn.Load(), PacketsOut: c.packetsOut.Load(),
		Retransmits: c.retransmits.Load(), Duplicates: c.duplicates.Load(),
		Resets: c.resets.Load(), Timeouts: c.timeouts.Load(),
		Invalid: c.invalid.Load(), Unsigned: c.unsigned.Load(), Unclaimed: c.unclaimed.Load(),
		Choked: c.choked.Load(),
	}
}

// Stats are counters over the life of a Stack, but for Open.
type Stats struct {
	Open                         int    // streams now
	Accepted, Dialled            uint64 // streams begun by remotes, by us
	Refused                      uint64 // by limits, backlog, access list or closed ports
	BytesIn, BytesOut            uint64 // payload that the application read or wrote
	PacketsIn, PacketsOut        uint64
	Retransmits, Duplicates      uint64 // sent again; received again
	Resets, Timeouts             uint64
	Invalid, Unsigned, Unclaimed uint64 // packets dropped
	Choked                       uint64 // packets dropped since nobody read
}

// send hands a packet to the Link.
func (s *Stack) send(to *Remote, fromPort, toPort uint16, packet []byte) {
	s.counters.packetsOut.Add(1)
	if err := s.cfg.Link.Send(to, fromPort, toPort, packet); err != nil {
		s.cfg.Logger.Debug("packet of a stream was not sent", "remote", to.Hash, "error", err)
	}
}

// sendPacket sends a packet that is not sent from a segment: signed by o if it
// has to be.
func (s *Stack) sendPacket(o *datagram.Origin, to *Remote, fromPort, toPort uint16, p *Packet) {
	buffer := s.scratch.Get().(*[]byte)
	defer s.scratch.Put(buffer)
	b := (*buffer)[:0]
	if !p.mustBeSigned() {
		b = p.AppendTo(b)
	} else {
		var err error
		if b, err = p.AppendSigned(b, o); err != nil {
			s.cfg.Logger.Error("packet of a stream was not signed", "error", err)
			return
		}
	}
	*buffer = b
	s.send(to, fromPort, toPort, b)
}
