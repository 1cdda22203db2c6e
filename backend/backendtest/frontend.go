// Package backendtest has what tests of backends and services need: frontends
// and remotes in memory, with no router behind them.
//
//	keys, _ := i2p.GenerateKeys()
//	f := backendtest.NewFrontend(keys.Destination)
//	defer f.Close()
//	host, _ := backend.NewHost(backend.Config{
//		Frontends: []backend.Frontend{{Name: "f", Dial: f.Dial}},
//	})
//	f.Deliver(packet)      // as if the router had handed it in
//	sent := f.Sent()       // what went to the router
//
// A Frontend is a sam.Server in memory, so backends meet the real protocol; it
// works inside testing/synctest. For whole routers see package simnet.
package backendtest

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/sam"
	"github.com/onelease/onelease/internal/memconn"
)

// A Frontend serves one Destination in memory.
type Frontend struct {
	server *sam.Server
	conns  sync.WaitGroup

	mu     sync.Mutex
	dest   i2p.Destination
	down   bool
	pipes  []*pipe
	sent   []sam.Packet
	onSend func(sam.Packet)
	onName func(string)
	slow   time.Duration
	status error
	names  map[string]i2p.Destination
}

// NewFrontend returns one that is up. It must be closed.
func NewFrontend(dest i2p.Destination) *Frontend { return newFrontend(dest, sam.ServerConfig{}) }

// NewRefuge is NewFrontend for a router that is a refuge.
func NewRefuge(dest i2p.Destination) *Frontend {
	return newFrontend(dest, sam.ServerConfig{Refuge: true})
}

// NewShared is NewFrontend for several backends that have names: it has one too,
// and the key of stream IDs, 32 bytes.
func NewShared(dest i2p.Destination, name string, idKey []byte) *Frontend {
	f := newFrontend(dest, sam.ServerConfig{Name: name})
	if err := f.server.SetIDKey(idKey); err != nil {
		panic(err)
	}
	return f
}

func newFrontend(dest i2p.Destination, cfg sam.ServerConfig) *Frontend {
	f := &Frontend{dest: dest, names: make(map[string]i2p.Destination)}
	cfg.Host, cfg.Logger = host{f}, slog.New(slog.DiscardHandler)
	f.server = sam.NewServer(cfg)
	return f
}

// Dial is a backend.Frontend's Dial.
func (f *Frontend) Dial(context.Context) (net.Conn, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.down {
		return nil, errors.New("the frontend is down")
	}
	near, far := memconn.Pair("frontend")
	p := newPipe(far)
	f.pipes = append(f.pipes, p)
	f.conns.Go(func() { f.server.ServeConn(p) })
	return near, nil
}

// Sessions describes the attached backends.
func (f *Frontend) Sessions() []sam.SessionInfo { return f.server.Sessions() }

// Deliver hands a packet to the attached backends.
func (f *Frontend) Deliver(p sam.Packet) { f.server.Deliver(p) }

// Sent returns the packets from backends since the last call.
func (f *Frontend) Sent() []sam.Packet {
	f.mu.Lock()
	defer f.mu.Unlock()
	sent := f.sent
	f.sent = nil
	return sent
}

// OnSend has each packet from a backend given to handle in place of Sent. It
// must not block; p.Data is valid during the call.
func (f *Frontend) OnSend(handle func(p sam.Packet)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.onSend = handle
}

// Status has the status of packets come after a time, as when a LeaseSet has
// to be looked up. Without it they are sent at once.
func (f *Frontend) Status(after time.Duration, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.slow, f.status = after, err
}

// Name has lookups of name find dest.
func (f *Frontend) Name(name string, dest i2p.Destination) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.names[name] = dest
}

// OnLookup has handle told each name that is looked up.
func (f *Frontend) OnLookup(handle func(name string)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.onName = handle
}

// SetDraining tells the attached backends whether the router is to go.
func (f *Frontend) SetDraining(draining bool) { f.server.SetDraining(draining) }

// SetPublished tells the attached backends of what date the router's LeaseSet is.
func (f *Frontend) SetPublished(published uint32) { f.server.SetPublished(published) }

// SessionDown ends the sessions as when the router is lost: the backends are
// told, and none can attach until Up.
func (f *Frontend) SessionDown() {
	f.mu.Lock()
	f.down = true
	f.mu.Unlock()
	f.server.CloseSessions("the router is down")
}

// Kill resets all connections and takes no more until Up.
func (f *Frontend) Kill() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.down = true
	for _, p := range f.pipes {
		p.reset()
	}
	f.pipes = nil
}

// Up undoes SessionDown and Kill, and lets frozen connections go on.
func (f *Frontend) Up() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.down = false
	for _, p := range f.pipes {
		p.thaw()
	}
	f.server.HostUp()
}

// Freeze stops all connections without closing them, as a stopped process
// does, and takes no more until Up.
func (f *Frontend) Freeze() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.down = true
	for _, p := range f.pipes {
		p.freeze()
	}
}

// Close ends the Frontend and waits for its goroutines.
func (f *Frontend) Close() {
	f.Kill()
	f.server.Close()
	f.conns.Wait()
}

// host is the sam.Host of a Frontend.
type host struct{ f *Frontend }

func (h host) Destination() (i2p.Destination, bool) {
	h.f.mu.Lock()
	defer h.f.mu.Unlock()
	return h.f.dest, !h.f.down
}

func (h host) Send(p sam.Packet) error {
	h.f.mu.Lock()
	onSend, slow, status := h.f.onSend, h.f.slow, h.f.status
	if onSend == nil {
		p.Data = append([]byte(nil), p.Data...)
		h.f.sent = append(h.f.sent, p)
	}
	h.f.mu.Unlock()
	if onSend != nil {
		onSend(p)
	}
	if p.ID != 0 {
		time.AfterFunc(slow, func() { h.f.server.Status(p.ID, status) })
	}
	return nil
}

func (h host) Lookup(_ context.Context, name string) (i2p.Destination, error) {
	h.f.mu.Lock()
	defer h.f.mu.Unlock()
	if h.f.onName != nil {
		h.f.onName(name)
	}
	if d, ok := h.f.names[name]; ok {
		return d, nil
	}
	return i2p.Destination{}, sam.ResultKeyNotFound
}

var _ sam.Host = host{}
