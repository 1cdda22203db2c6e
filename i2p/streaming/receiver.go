package streaming

const (
	// maxAhead is how far ahead of what is missing packets are kept.
	maxAhead = 1024
	// maxSequence is beyond all numbers that are in use; see lastSequence.
	maxSequence = 1<<31 - 1
)

// A receiver puts the payloads that come into order, and holds what was not
// read yet.
type receiver struct {
	next   uint32 // the first number that is missing
	newest uint32 // the highest that is held, if anything is in early
	closed bool   // the remote's CLOSE came, in order
	drops  bool   // nobody reads any more

	inOrder ring[*segment]
	unread  int                 // bytes in inOrder
	early   map[uint32]*segment // beyond next
	ahead   int                 // bytes in early
	choking bool                // the remote was told to wait
}

// A verdict is what became of a packet.
type verdict uint8

const (
	taken     verdict = iota // the next in order
	tookEarly                // with something missing before it
	duplicate
	noRoom
)

// take takes the packet's payload if there is room up to limit bytes. The room
// for what is next in order is not taken away by what is early, so that the
// stream goes on.
func (r *receiver) take(p *Packet, limit int, pool *segmentPool) verdict {
	switch {
	case p.Seq < r.next || r.closed || r.early[p.Seq] != nil:
		return duplicate
	case p.Seq-r.next >= maxAhead || p.Seq > maxSequence:
		return noRoom
	case p.Seq == r.next:
		if r.unread+len(p.Payload) > limit {
			return noRoom
		}
		r.append(p.Payload, p.Flags, pool)
		r.mergeEarly(pool)
		return taken
	case r.unread+r.ahead+len(p.Payload) > limit:
		return noRoom
	}
	r.keep(p, pool)
	return tookEarly
}

// keep holds a packet until what is missing before it has come.
func (r *receiver) keep(p *Packet, pool *segmentPool) {
	if r.early == nil {
		r.early = make(map[uint32]*segment)
	}
	g := pool.get(len(p.Payload))
	g.flags = p.Flags & FlagClose
	g.add(p.Payload, len(p.Payload))
	if len(r.early) == 0 || p.Seq > r.newest {
		r.newest = p.Seq
	}
	r.early[p.Seq] = g
	r.ahead += g.size()
}

// mergeEarly moves what is not early any more.
func (r *receiver) mergeEarly(pool *segmentPool) {
	for len(r.early) > 0 && !r.closed {
		g := r.early[r.next]
		if g == nil {
			return
		}
		delete(r.early, r.next)
		r.ahead -= g.size()
		r.append(g.payload(), g.flags, pool)
		pool.put(g)
	}
}

// append adds the payload of number next.
func (r *receiver) append(b []byte, flags Flags, pool *segmentPool) {
	r.next++
	if flags&FlagClose != 0 {
		r.closed = true
		r.clearEarly(pool)
	}
	if r.drops {
		return
	}
	r.unread += len(b)
	if n := r.inOrder.len(); n > 0 && len(b) > 0 {
		// Small payloads share a segment, so that they do not take up one each.
		tail := r.inOrder.at(n - 1)
		b = b[tail.add(b, len(tail.buf)):]
	}
	if len(b) == 0 {
		return
	}
	g := pool.get(len(b))
	g.add(b, len(b))
	r.inOrder.push(g)
}

// read moves unread bytes to b.
func (r *receiver) read(b []byte, pool *segmentPool) int {
	done := 0
	for done < len(b) && r.inOrder.len() > 0 {
		g := r.inOrder.at(0)
		n := copy(b[done:], g.payload())
		done += n
		g.off += n
		if g.size() == 0 {
			pool.put(r.inOrder.pop())
		}
	}
	r.unread -= done
	return done
}

// drop forgets what was not read, and lets nothing come to it any more.
func (r *receiver) drop(pool *segmentPool) {
	r.drops = true
	for r.inOrder.len() > 0 {
		pool.put(r.inOrder.pop())
	}
	r.unread = 0
}

func (r *receiver) clearEarly(pool *segmentPool) {
	for seq, g := range r.early {
		delete(r.early, seq)
		pool.put(g)
	}
	r.ahead = 0
}

// through is the AckThrough of an ack, whose NACKs it appends to b: at most
// limit, by lowering it. Something must have been received.
func (r *receiver) through(b []byte, limit int) (uint32, []byte) {
	if len(r.early) == 0 {
		return r.next - 1, b
	}
	for seq := r.next; seq < r.newest; seq++ {
		if r.early[seq] != nil {
			continue
		}
		if limit == 0 {
			return seq - 1, b
		}
		limit--
		b = append(b, byte(seq>>24), byte(seq>>16), byte(seq>>8), byte(seq))
	}
	return r.newest, b
}
