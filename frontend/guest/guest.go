package guest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"time"

	"github.com/hashicorp/yamux"

	"github.com/onelease/onelease/frontend"
)

// A Config is what a Guest is made of. Control must be set, and one role.
type Config struct {
	// Member, Publisher and Refuge are the roles of its frontend, as in frontend.Config.
	Member, Publisher, Refuge bool
	// Control has the balancer's control service, in this process, serve a connection of
	// the frontend's, and close it in the end. An error leaves it to the caller.
	Control func(ctx context.Context, conn net.Conn) error
	// Refused, if set, is told when the frontend or its router refuses the guest for what
	// only somebody can mend. It is tried again after some half a minute all the same.
	Refused func(error)
}

// A Guest is the frontend of one Destination in another process. Its methods may be
// called by many goroutines, before, during and after Run.
type Guest struct {
	client *Client
	cfg    Config
	id     uint32

	// Guarded by Client.mu.
	on      *yamux.Session // the one by which the frontend has it open, nil if none
	reason  error          // why it is not open though there is a connection
	ended   bool
	changed chan struct{} // closed and replaced when one of these is set
}

// NewGuest returns a Guest that is not there until Run.
func (c *Client) NewGuest(cfg Config) *Guest {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.last++
	return &Guest{client: c, cfg: cfg, id: c.last, reason: errNotConnected, changed: make(chan struct{})}
}

// Run has the guest there until ctx ends, and returns when the frontend has closed its
// session, or 3 s later; the error is nil. It rides out whatever may come back. It is
// called once.
func (g *Guest) Run(ctx context.Context) error {
	c := g.client
	c.mu.Lock()
	c.guests[g.id] = g
	c.mu.Unlock()
	defer g.forget()
	for wait := retryFirst; ctx.Err() == nil; wait = min(2*wait, retryMost) {
		session, changed, _ := c.now()
		if session == nil || session.IsClosed() {
			await(ctx, changed)
			wait = retryFirst / 2 // this is none that counts
			continue
		}
		opened, err := g.stay(ctx, session)
		g.set(nil, err)
		switch {
		case ctx.Err() != nil || session.IsClosed():
			continue
		case opened:
			wait = retryFirst
		case errors.Is(err, ErrRefused) || errors.Is(err, ErrQuota):
			wait = retryRefused
			g.refused(err)
		}
		c.log.Warn("a guest is not open at the frontend", "err", err)
		rest(ctx, changed, wait/2+rand.N(wait))
	}
	return nil
}

func (g *Guest) refused(err error) {
	if g.cfg.Refused != nil {
		g.cfg.Refused(err)
	}
}

// await waits until changed is closed or ctx ends.
func await(ctx context.Context, changed <-chan struct{}) {
	select {
	case <-changed:
	case <-ctx.Done():
	}
}

// rest is await with a limit.
func rest(ctx context.Context, changed <-chan struct{}, limit time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	await(ctx, changed)
}

func (g *Guest) forget() {
	g.client.mu.Lock()
	defer g.client.mu.Unlock()
	delete(g.client.guests, g.id)
	g.on, g.ended = nil, true
	g.tellLocked()
}

func (g *Guest) set(on *yamux.Session, reason error) {
	g.client.mu.Lock()
	defer g.client.mu.Unlock()
	g.on, g.reason = on, reason
	g.tellLocked()
}

func (g *Guest) tellLocked() {
	close(g.changed)
	g.changed = make(chan struct{})
}

// errEnded says that the frontend has ended the guest, or the connection has.
var errEnded = errors.New("the frontend has it no more")

// stay opens the guest, and serves it until ctx or the stream that holds it ends.
func (g *Guest) stay(ctx context.Context, session *yamux.Session) (opened bool, err error) {
	h := header{kind: kindOpen, roles: rolesOf(g.cfg.Member, g.cfg.Publisher, g.cfg.Refuge), id: g.id}
	st, _, err := g.client.request(ctx, session, h, nil, openTime)
	if err != nil {
		return false, err
	}
	defer st.Close()
	g.set(session, nil)
	defer context.AfterFunc(ctx, func() { // the end of ctx is the only farewell
		st.SetDeadline(time.Now().Add(farewellTime))
		_, _ = st.Write([]byte{0})
	})()
	for {
		_, err := readReply(st)
		var said *Refusal
		if !errors.As(err, &said) {
			return true, errEnded
		}
		g.set(session, said)
		g.refused(fmt.Errorf("frontend %s: %w", g.client.cfg.Name, said))
	}
}

// farewellTime is how long a frontend may take to close a guest's session.
const farewellTime = 3 * time.Second

// openTime is for the reply to a guest that is opened: what an earlier one has left
// ends before, at the router.
const openTime = 30 * time.Second

func (g *Guest) now() (on *yamux.Session, changed <-chan struct{}, ended bool, reason error) {
	c := g.client
	c.mu.Lock()
	defer c.mu.Unlock()
	return g.on, g.changed, g.ended, cmp.Or(c.reason, g.reason)
}

// Open is whether the frontend has the guest. The error says why not, or what its router
// has refused last.
func (g *Guest) Open() (bool, error) {
	on, _, _, reason := g.now()
	return on != nil, reason
}

// Status has what is known here of the guest's frontend: its roles, and as RouterError
// why it cannot serve.
func (g *Guest) Status() frontend.Status {
	s := frontend.Status{
		Name: g.client.cfg.Name, Mode: frontend.ModeOneLease,
		Member: g.cfg.Member || g.cfg.Refuge, Publisher: g.cfg.Publisher, Refuge: g.cfg.Refuge,
	}
	if _, reason := g.Open(); reason != nil {
		s.RouterError = reason.Error()
	}
	return s
}
