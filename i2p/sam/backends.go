package sam

import (
	"context"
	"fmt"
	"io"
	"regexp"
	"sync/atomic"
	"time"

	"github.com/onelease/onelease/internal/owner"
)

const (
	// quietAfter is how long a backend with a name may say nothing, not even PING,
	// until it gets nothing new any more.
	quietAfter = 2 * time.Second
	// defaultWeight is that of a backend that does not say.
	defaultWeight = 1
)

// A roster is the sessions there are.
type roster struct {
	plain []*session // each gets all that it listens to
	named []*session // each packet goes to one of them
}

func (r *roster) all() []*session {
	return append(append([]*session(nil), r.plain...), r.named...)
}

// A named is what a session has whose backend has a name. Packets of what such a
// backend began come to it by their IDs, and what is new to one of them by its
// sender: see package owner.
type named struct {
	name    string
	tag     uint16
	standby bool
	weight  atomic.Int32
	// heard is when it spoke last, as time since the Server started; quiet that
	// this was long ago.
	heard atomic.Int64
	quiet atomic.Bool
	begun atomic.Uint64
}

// BackendInfo describes a backend that has a name.
type BackendInfo struct {
	Name string
	// Weight is its share of what is new: 0 while it takes none. Standby: only
	// while no other takes any.
	Weight  int
	Standby bool
	// Quiet says that it was silent for 2 s or more. It gets nothing new then, unless all
	// are.
	Quiet bool
	// Begun counts the streams that were given to it, more exactly the SYNs.
	Begun uint64
}

func (n *named) info() *BackendInfo {
	if n == nil {
		return nil
	}
	return &BackendInfo{
		Name: n.name, Weight: int(n.weight.Load()), Standby: n.standby,
		Quiet: n.quiet.Load(), Begun: n.begun.Load(),
	}
}

// SetIDKey gives the key by which the IDs of backends' streams tell whose they are;
// all frontends of a Destination need the same. Without one, or with an empty one,
// sessions have no names whatever they ask for. It stays the first that was given.
func (s *Server) SetIDKey(key []byte) error {
	if len(key) == 0 {
		return nil
	}
	if have := s.ids.Load(); have != nil {
		if string(have.Key()) != string(key) {
			return fmt.Errorf("there is another key of stream IDs than at the start: start the frontend anew")
		}
		return nil
	}
	ids, err := owner.NewIDs(key)
	if err == nil {
		s.ids.CompareAndSwap(nil, ids)
	}
	return err
}

var backendPattern = regexp.MustCompile(`^[a-z0-9._-]{1,64}$`)

// newNamed reads BACKEND, WEIGHT and STANDBY of a SESSION CREATE; nil if there is
// no name, or no way to tell backends apart.
func (c *conn) newNamed(cmd *Command) (*named, error) {
	name := cmd.Value("BACKEND")
	if name == "" {
		return nil, nil
	}
	if !backendPattern.MatchString(name) {
		return nil, refusef(ResultI2PError, "BACKEND=%.70q: want 1 to 64 of a-z, 0-9, \".\", \"_\" and \"-\"", name)
	}
	if err := c.checkName(name); err != nil {
		return nil, err
	}
	n := &named{name: name, tag: owner.Tag(name)}
	n.heard.Store(int64(time.Since(c.s.started)))
	weight, err := cmd.Number("WEIGHT", defaultWeight, owner.MaxWeight)
	if err != nil {
		return nil, err
	}
	n.weight.Store(int32(weight))
	if n.standby, err = cmd.Bool("STANDBY", false); err != nil {
		return nil, err
	}
	if c.s.ids.Load() == nil {
		c.s.log.Warn("backends cannot have names: no balancer has sent the key of stream IDs", "backend", name)
		return nil, nil
	}
	return n, nil
}

// checkName keeps a backend from taking another's name.
func (c *conn) checkName(name string) error {
	if c.s.cfg.BackendName == nil {
		return nil
	}
	want, err := c.s.cfg.BackendName(c.nc)
	if err != nil {
		return refusef(ResultI2PError, "BACKEND=%s: %v", name, err)
	}
	if want != "" && want != name {
		return refusef(ResultI2PError, "BACKEND=%s: the certificate is of backend %s; use that name", name, want)
	}
	return nil
}

// makeRoomLocked sees to it that no two backends have one name, or one tag. One
// that went silent is replaced: it may be an earlier life of the newcomer.
func (s *Server) makeRoomLocked(ss *session) error {
	if ss.backend == nil {
		return nil
	}
	for _, other := range s.live.Load().named {
		switch {
		case other.backend.tag != ss.backend.tag:
		case other.backend.name != ss.backend.name:
			return refusef(ResultI2PError, "BACKEND=%s: its stream IDs would look like those of %s, which is attached, as one in 65536 names does; choose another",
				ss.backend.name, other.backend.name)
		case !other.backend.quiet.Load():
			return refusef(ResultDuplicatedID, "BACKEND=%s: one of that name is attached; give each a name of its own", ss.backend.name)
		default:
			delete(s.sessions, other.id)
			other.conn.end("another backend took its name while it was silent")
		}
	}
	return nil
}

// appendNamed tells a session with a name what it needs for that.
func (s *Server) appendNamed(b []byte, ss *session) []byte {
	if ss.backend == nil {
		return b
	}
	if s.cfg.Name != "" {
		b = AppendOption(b, "FRONTEND", s.cfg.Name)
	}
	return AppendOption(b, "ID_KEY", hexKey(s.ids.Load().Key()))
}

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

// watch finds out that the backend went silent, as it does when its process is
// stopped or its machine lost, which closes nothing.
func (ss *session) watch(ctx context.Context) {
	timer := time.NewTimer(quietAfter)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		left := quietAfter - time.Since(ss.conn.s.started) + time.Duration(ss.backend.heard.Load())
		if left <= 0 && !ss.backend.quiet.Swap(true) {
			ss.conn.s.log.Warn("backend is silent, new streams go to others", "backend", ss.backend.name)
		}
		timer.Reset(max(left, quietAfter/8))
	}
}

// A noticingReader notes that a named backend speaks. The connection's goroutine
// uses it.
type noticingReader struct{ c *conn }

func (r noticingReader) Read(b []byte) (int, error) {
	n, err := r.c.nc.Read(b)
	if ss := r.c.session; n > 0 && ss != nil && ss.backend != nil {
		ss.backend.heard.Store(int64(time.Since(ss.conn.s.started)))
		if ss.backend.quiet.Swap(false) {
			ss.conn.s.log.Info("backend speaks again", "backend", ss.backend.name)
		}
	}
	return n, err
}

var _ io.Reader = noticingReader{}
