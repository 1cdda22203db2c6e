package sam

import "github.com/onelease/onelease/internal/owner"

// deliverNamed hands a packet to the named backend that it is for, and returns to
// how many. If a plain session has taken it, it is none of the lost ones.
func (s *Server) deliverNamed(live *roster, p Packet, taken bool) int {
	c := owner.Of(p.Protocol, p.FromPort, p.ToPort, p.Data)
	var to *session
	lost := &s.stats.orphaned
	switch c.Kind {
	case owner.ByID:
		to = live.tagged(s.ids.Load().Tag(c.ID))
	case owner.Early:
		b, ok := s.began.find(c.ID)
		if !ok { // it overtook its SYN: whoever gets that needs it
			return live.deliverAll(p)
		}
		to = live.tagged(b.tag)
	case owner.Begins:
		to, lost = s.begins(live, &p, &c), &s.stats.unserved
	case owner.BySender:
		to, lost = live.choose(&p, &c), &s.stats.unserved
	default:
		lost = &s.stats.unmatched
	}
	switch {
	case to != nil && to.matches(&p):
		if to.deliver(p) {
			return 1
		}
	case !taken:
		lost.Add(1)
	}
	return 0
}

func (r *roster) deliverAll(p Packet) (n int) {
	for _, ss := range r.named {
		if ss.matches(&p) && ss.deliver(p) {
			n++
		}
	}
	return n
}

// tagged is the backend of a tag, or nil.
func (r *roster) tagged(tag uint16) *session {
	for _, ss := range r.named {
		if ss.backend.tag == tag {
			return ss
		}
	}
	return nil
}

// begins chooses who gets a SYN: who got it before, if it comes again.
func (s *Server) begins(live *roster, p *Packet, c *owner.Claim) *session {
	key := c.Key()
	if b, ok := s.began.find(c.ID); ok && b.key == key {
		if ss := live.tagged(b.tag); ss != nil && !ss.backend.quiet.Load() {
			return ss
		}
	}
	ss := live.choose(p, c)
	if ss != nil {
		s.began.note(c.ID, beginning{key, ss.backend.tag})
		ss.backend.begun.Add(1)
	}
	return ss
}

// choose is the backend for what is new, of those of the first resort that there
// are; nil if none takes any.
func (r *roster) choose(p *Packet, c *owner.Claim) *session {
	var best *session
	var highest float64
	var key uint64
	if len(r.named) > 1 {
		key = c.Key()
	}
	for _, ss := range r.named {
		weight := int(ss.backend.weight.Load())
		if weight == 0 || !ss.matches(p) || (best != nil && ss.backend.resort() > best.backend.resort()) {
			continue
		}
		score := owner.Score(key, ss.backend.tag, weight)
		if best == nil || score > highest || ss.backend.resort() < best.backend.resort() {
			best, highest = ss, score
		}
	}
	return best
}

// resort is lower for backends that are chosen before others. Silent ones are
// better than none: they may wake.
func (n *named) resort() int {
	switch {
	case n.quiet.Load():
		return 2
	case n.standby:
		return 1
	}
	return 0
}
