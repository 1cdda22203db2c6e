package sam

import (
	"sync"
	"time"
)

// createPatience is how long a SESSION CREATE waits for the router. A frontend's
// leases may be in a LeaseSet as soon as it serves, so its backends have to be there then:
// one that was refused, and asked again every few seconds, would miss what comes first.
// It is less than ClientConfig.HandshakeTimeout.
const createPatience = 8 * time.Second

// errHostDown is told to who has waited in vain.
var errHostDown = Refusef(ResultI2PError, "the router is down; use another frontend or try again")

// waiters are the connections whose SESSION CREATE waits for the Host. Its lock is held
// over no call of the Host.
type waiters struct {
	mu    sync.Mutex
	conns map[*conn]struct{}
}

// HostUp says that Host.Destination may have become true: sessions that wait for it
// begin. It does not block, and a Host may call it with its own locks held.
func (s *Server) HostUp() {
	s.waiting.mu.Lock()
	defer s.waiting.mu.Unlock()
	for c := range s.waiting.conns {
		c.nc.SetReadDeadline(time.Unix(1, 0)) // ends its Line
	}
}

// add is called before the Host is asked, so that no HostUp is missed.
func (w *waiters) add(c *conn) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.conns[c] = struct{}{}
	c.nc.SetReadDeadline(time.Now().Add(createPatience))
}

func (w *waiters) remove(c *conn) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.conns, c)
	c.nc.SetReadDeadline(time.Time{})
}

func (c *conn) onSessionCreate() error {
	if c.session != nil || c.creating != nil {
		c.reply(KindSessionStatus, Refusef(ResultI2PError, "this connection has a session; open another for one more"))
		return nil
	}
	c.s.waiting.add(c)
	err := c.create(&c.cmd)
	if err == errHostDown {
		c.creating = c.cmd.clone()
		return nil
	}
	return c.created(err)
}

// createLate tries again, when the Host is up or patience at its end.
func (c *conn) createLate() error {
	cmd := c.creating
	c.creating = nil
	return c.created(c.create(cmd))
}

// create makes the session of a SESSION CREATE. It reads the whole of it each time, for
// what the Server knows of names may have come meanwhile.
func (c *conn) create(cmd *Command) error {
	ss, err := newSession(c, cmd)
	if err == nil {
		err = c.s.add(ss, cmd.Value("DESTINATION"))
	}
	if err != nil {
		return err
	}
	c.session = ss
	if ss.backend != nil {
		go ss.watch(c.ctx)
	}
	return nil
}

// created ends the wait. The connection goes on, whatever came of it.
func (c *conn) created(err error) error {
	c.s.waiting.remove(c)
	if err != nil {
		c.reply(KindSessionStatus, err)
	}
	return nil
}
