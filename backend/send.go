package backend

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/datagram"
	"github.com/onelease/onelease/i2p/sam"
)

// encodePool has buffers in which datagrams are put together. A send has one
// for the time of the call; the link copies out of it.
var encodePool = sync.Pool{New: func() any { b := make([]byte, 0, datagram.MaxSize); return &b }}

// send encodes and sends a payload from a port to an address whose
// Destination is known.
func (h *Host) send(kind Kind, fromPort uint16, payload []byte, to *Addr) error {
	p := sam.Packet{Peer: to.Destination, FromPort: fromPort, ToPort: to.Port, Protocol: uint8(kind)}
	if kind == Raw {
		if err := checkRaw(len(payload)); err != nil {
			return err
		}
		p.Data = payload
		return h.sendDatagram(p, to.Hash)
	}
	self := h.self.Load()
	if self == nil {
		return ErrNoFrontend
	}
	buffer := encodePool.Get().(*[]byte)
	defer encodePool.Put(buffer)
	data, err := self.encode(kind, (*buffer)[:0], payload, to.Hash)
	if err != nil {
		return err
	}
	*buffer, p.Data = data, data
	return h.sendDatagram(p, to.Hash)
}

func checkRaw(size int) error {
	switch {
	case size == 0:
		return errors.New("a raw datagram has 1 byte at least: SAM carries no empty packets")
	case size > datagram.MaxSize:
		return fmt.Errorf("raw datagram of %d bytes, at most %d fit; send less at once: %w", size, datagram.MaxSize, ErrTooLarge)
	}
	return nil
}

func (s *self) encode(kind Kind, b, payload []byte, to i2p.Hash) ([]byte, error) {
	if kind == Datagram3 {
		return datagram.AppendDatagram3(b, s.hash, nil, payload)
	}
	o, err := s.origin()
	switch {
	case err != nil:
		return nil, err
	case kind == Datagram2:
		return datagram.AppendDatagram2(b, *o, to, nil, payload)
	case o.Offline != nil:
		return nil, errTransient
	}
	return datagram.AppendDatagram1(b, s.Destination, o.Signer, payload)
}

// sendDatagram sends p by the link that its remote's packets come in by.
func (h *Host) sendDatagram(p sam.Packet, to i2p.Hash) error {
	h.mu.Lock()
	l := h.routeLocked(to)
	if r := h.rescueLocked(to); r != nil && r.holdsDatagrams() {
		l = nil
	}
	h.mu.Unlock()
	return l.send(p)
}

// rescueLocked is the rescue of a remote, or nil.
func (h *Host) rescueLocked(hash i2p.Hash) *rescue {
	for _, t := range [...]*remotes{h.remotes, h.hearsay} {
		if r := t.byHash[hash]; r != nil {
			return r.rescue
		}
	}
	return nil
}

// send sends p by l, which may be nil.
func (l *link) send(p sam.Packet) error {
	if l == nil {
		return ErrNoFrontend
	}
	client := l.live.Load()
	if client == nil {
		return ErrNoFrontend // lost just now
	}
	if err := client.Send(p); err != nil {
		l.dropped.Add(1)
		return fmt.Errorf("send by frontend %s: %w", l.front.name(), err)
	}
	l.out.Add(1)
	return nil
}

// complete returns to with its Destination, looked up if need be.
func (h *Host) complete(ctx context.Context, to *Addr) (*Addr, error) {
	if !to.Destination.IsZero() {
		return to, nil
	}
	if to.Hash == (i2p.Hash{}) {
		return nil, fmt.Errorf("no Destination in the address %s: a raw datagram does not say who sent it", to)
	}
	sender, err := h.resolveHash(ctx, to.Hash, h.Lookup)
	if err != nil {
		return nil, err
	}
	return &Addr{Destination: sender.Destination, Hash: to.Hash, Port: to.Port}, nil
}
