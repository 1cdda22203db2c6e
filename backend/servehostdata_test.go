package backend

import (
	"context"
	"time"

	"github.com/onelease/onelease/backend/pluginpb"
	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/internal/pluginwire"
)

// A hostDial is a dial of the plugin that the test is to answer.
type hostDial struct {
	*pluginwire.Conn
	address string
	limit   time.Duration
	ctx     context.Context
	unwatch func()
}

func (h *fakeHost) serveData() {
	for {
		raw, err := h.ln.Accept()
		if err != nil {
			return
		}
		p, err := pluginwire.ReadPreface(raw)
		if err != nil || !p.Token.Equal(h.token) {
			h.t.Errorf("preface %v, %v", p, err)
		}
		switch p.Role {
		case pluginwire.Packets:
			h.packets <- pluginwire.NewPacketConn(raw, nil)
		case pluginwire.Dials:
			d := &hostDial{Conn: pluginwire.NewConn(raw)}
			if d.address, d.limit, err = d.ReadDial(); err != nil {
				h.t.Error(err)
			}
			d.ctx, d.unwatch = d.Watch(context.Background())
			h.dials <- d
		default:
			h.mu.Lock()
			h.waiting[p.ID] <- pluginwire.NewConn(raw)
			h.mu.Unlock()
		}
	}
}

// offer tells of a stream to a port.
func (h *fakeHost) offer(port *pluginpb.Open) chan *pluginwire.Conn {
	h.mu.Lock()
	h.last++
	id, c := h.last, make(chan *pluginwire.Conn, 1)
	h.waiting[id] = c
	h.mu.Unlock()
	h.tell(&pluginpb.ToPlugin{Message: &pluginpb.ToPlugin_Incoming{Incoming: &pluginpb.Incoming{Listener: port.Id, Stream: id}}})
	return c
}

// stream is a stream to a port that was accepted, as its remote has it.
func (h *fakeHost) stream(port *pluginpb.Open) *pluginwire.Conn {
	h.t.Helper()
	c := within(h.t, "a stream is accepted", h.offer(port))
	remote := i2p.NewAddr(newKeys(h.t).Destination, 99)
	if err := c.Begin(&i2p.Addr{Destination: h.dest, Hash: h.dest.Hash(), Port: uint16(port.Port)}, remote); err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { c.Close() })
	return c
}
