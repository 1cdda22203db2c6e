package plugin

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"sync"
	"time"

	"github.com/onelease/onelease/internal/pluginwire"
)

// A dataSocket takes the connections of one instance: a stream or a port for datagrams
// each.
type dataSocket struct {
	i     *instance
	path  string
	ln    net.Listener
	slots chan struct{} // one for each connection

	toldAt time.Time // when too many connections were logged; of accept

	mu     sync.Mutex
	closed bool
	conns  map[net.Conn]struct{}
	all    sync.WaitGroup
}

func (i *instance) listenData() (*dataSocket, error) {
	path := filepath.Join(i.dir, "data")
	ln, err := net.Listen("unix", path)
	if err != nil {
		return nil, fmt.Errorf("socket for the plugin's streams: %w", err)
	}
	streams := i.spec.limits.Streams
	if streams == 0 {
		streams = defaultStreams
	}
	return &dataSocket{
		i: i, path: path, ln: ln, slots: make(chan struct{}, streams), conns: make(map[net.Conn]struct{}),
	}, nil
}

// accept takes connections until the socket is closed. Those over the limit are closed:
// a plugin that opens too many must not use up the host's.
func (d *dataSocket) accept() {
	for {
		conn, err := d.ln.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil { // too many open files: it passes
			d.i.log.Warn("connection of the plugin not taken", "error", err)
			if !d.pause(100 * time.Millisecond) {
				return
			}
			continue
		}
		select {
		case d.slots <- struct{}{}:
			d.take(conn)
		default:
			conn.Close()
			d.overLimit()
		}
	}
}

// overLimit says that there are too many connections, but not all the time.
func (d *dataSocket) overLimit() {
	if now := time.Now(); now.Sub(d.toldAt) > 10*time.Second {
		d.toldAt = now
		d.i.log.Warn("the plugin has as many streams as it may: further ones are refused", "limit", cap(d.slots))
	}
}

// pause waits, or returns false if the instance has ended.
func (d *dataSocket) pause(t time.Duration) bool {
	select {
	case <-time.After(t):
		return true
	case <-d.i.ctx.Done():
		return false
	}
}

func (d *dataSocket) take(conn net.Conn) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		conn.Close()
		<-d.slots
		return
	}
	d.conns[conn] = struct{}{}
	d.all.Go(func() {
		d.serve(conn)
		conn.Close()
		d.mu.Lock()
		delete(d.conns, conn)
		d.mu.Unlock()
		<-d.slots
	})
}

// serve serves one connection. One without the token, or that is silent, is closed.
func (d *dataSocket) serve(raw net.Conn) {
	raw.SetDeadline(time.Now().Add(d.i.s.timing.preface))
	preface, err := pluginwire.ReadPreface(raw)
	if err != nil || !preface.Token.Equal(d.i.token) {
		d.i.log.Debug("connection of the plugin without a preface", "error", err)
		return
	}
	raw.SetDeadline(time.Time{})
	switch preface.Role {
	case pluginwire.Accepts:
		d.i.acceptStream(pluginwire.NewConn(raw), preface.ID)
	case pluginwire.Dials:
		d.i.dial(pluginwire.NewConn(raw))
	case pluginwire.Packets:
		d.i.servePackets(raw, preface.ID)
	}
}

// close takes no more connections, and ends those that have not ended within a limit: what a
// plugin wrote before it ended is still on its way.
func (d *dataSocket) close(limit time.Duration) {
	if d.ln == nil {
		return
	}
	d.ln.Close()
	d.mu.Lock()
	d.closed = true
	d.mu.Unlock()
	defer time.AfterFunc(limit, d.cut).Stop()
	stop := context.AfterFunc(d.i.s.closing, d.cut)
	defer stop()
	d.all.Wait()
}

func (d *dataSocket) cut() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for conn := range d.conns {
		conn.Close()
	}
}
