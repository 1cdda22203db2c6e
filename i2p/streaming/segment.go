package streaming

import (
	"sync"
	"time"
)

// A segment is the payload of one packet, sent or received. Its buffer has
// room for the header before the payload, so that a data packet is sent
// without being copied. The time of day is that of Stack.now.
type segment struct {
	buf      []byte
	off, end int // of the payload that is left
	seq      uint32
	flags    Flags // FlagSync, FlagClose or neither

	// For what is sent:
	queuedAt, sentAt time.Duration
	sends            int
	acked, lost      bool
	missing          bool // the ack that is being taken names it
}

func (g *segment) payload() []byte { return g.buf[g.off:g.end] }
func (g *segment) size() int       { return g.end - g.off }

// packet is the whole packet, if it is one without options.
func (g *segment) packet() []byte { return g.buf[g.off-headerSize : g.end] }

// room is how much payload can be added up to limit in all.
func (g *segment) room(limit int) int { return min(limit, len(g.buf)-headerSize) - g.size() }

// add appends to the payload as much of b as fits below limit.
func (g *segment) add(b []byte, limit int) int {
	n := copy(g.buf[g.end:], b[:min(len(b), max(0, g.room(limit)))])
	g.end += n
	return n
}

// A segmentPool has segments whose payload may be size bytes.
type segmentPool struct {
	size int
	pool sync.Pool
}

// get returns an empty segment that takes at least size bytes.
func (p *segmentPool) get(size int) *segment {
	if size > p.size {
		return &segment{buf: make([]byte, headerSize+size), off: headerSize, end: headerSize}
	}
	g, ok := p.pool.Get().(*segment)
	if !ok {
		g = &segment{buf: make([]byte, headerSize+p.size)}
	}
	*g = segment{buf: g.buf, off: headerSize, end: headerSize}
	return g
}

// put takes a segment back, which nobody may use any more. nil is none.
func (p *segmentPool) put(g *segment) {
	if g != nil && len(g.buf) == headerSize+p.size {
		p.pool.Put(g)
	}
}
