package sam

import (
	"fmt"
	"regexp"
	"sync/atomic"
	"time"

	"github.com/onelease/onelease/internal/owner"
)

// defaultWeight is that of a backend that does not say.
const defaultWeight = 1

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
		return nil, Refusef(ResultI2PError, "BACKEND=%.70q: want 1 to 64 of a-z, 0-9, \".\", \"_\" and \"-\"", name)
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
		return Refusef(ResultI2PError, "BACKEND=%s: %v", name, err)
	}
	if want != "" && want != name {
		return Refusef(ResultI2PError, "BACKEND=%s: the certificate is of backend %s; use that name", name, want)
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
			return Refusef(ResultI2PError, "BACKEND=%s: its stream IDs would look like those of %s, which is attached, as one in 65536 names does; choose another",
				ss.backend.name, other.backend.name)
		case !other.backend.quiet.Load():
			return Refusef(ResultDuplicatedID, "BACKEND=%s: one of that name is attached; give each a name of its own", ss.backend.name)
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
