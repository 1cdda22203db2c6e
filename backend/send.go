package backend

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/datagram"
	"github.com/onelease/onelease/i2p/sam"
)

// encodePool has buffers in which datagrams are put together. A send has one
// for the time of the call; the link copies out of it.
var encodePool = sync.Pool{New: func() any { b := make([]byte, 0, datagram.MaxSize); return &b }}

// send encodes and sends a payload, by a packet that has all but the Data.
func (h *Host) send(kind Kind, p sam.Packet, payload []byte, to i2p.Hash) error {
	if kind == Raw {
		if err := checkRaw(p.Protocol, len(payload)); err != nil {
			return err
		}
		p.Data = payload
		return h.sendDatagram(p, to)
	}
	self := h.self.Load()
	if self == nil {
		return ErrNoFrontend
	}
	buffer := encodePool.Get().(*[]byte)
	defer encodePool.Put(buffer)
	data, err := self.encode(kind, (*buffer)[:0], payload, to)
	if err != nil {
		return err
	}
	*buffer, p.Data = data, data
	return h.sendDatagram(p, to)
}

// checkRaw refuses what others would take for something else, or SAM does not carry.
func checkRaw(protocol uint8, size int) error {
	_, other := Kind(protocol).index()
	switch {
	case protocol == ProtocolStreaming, other && Kind(protocol) != Raw:
		return errTaken
	case size == 0:
		return errors.New("a raw datagram has 1 byte at least: SAM carries no empty packets")
	case size > datagram.MaxSize:
		return fmt.Errorf("raw datagram of %d bytes, at most %d fit; send less at once: %w", size, datagram.MaxSize, ErrTooLarge)
	}
	return nil
}

func (s *self) encode(kind Kind, b, payload []byte, to i2p.Hash) ([]byte, error) {
	switch kind {
	case Datagram, Datagram2:
	case Datagram3:
		return datagram.AppendDatagram3(b, s.hash, nil, payload)
	default:
		return nil, errKind
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

// sendDatagram sends p to a remote: to one in this process, after a greeting, or at once.
func (h *Host) sendDatagram(p sam.Packet, to i2p.Hash) error {
	if near := h.near(to); near != nil {
		return near.loopIn(p)
	}
	if kind := Kind(p.Protocol); kind != Datagram && kind != Datagram2 && h.greet(&p, to) {
		return nil
	}
	return h.sendByRoute(p, to)
}

// sendByRoute sends p by the link that its remote's packets come in by.
func (h *Host) sendByRoute(p sam.Packet, to i2p.Hash) error {
	h.mu.Lock()
	l := h.routeLocked(to)
	if r := h.rescueLocked(to); r != nil && r.holdsDatagrams() {
		l = nil
	}
	h.sentToLocked(to)
	if p.Options.NoLeaseSet {
		p.Options.NoLeaseSet = !h.needsLeaseSetLocked(to, l)
	}
	h.mu.Unlock()
	return l.send(p)
}

// sentToLocked notes that a datagram goes to a remote: it needs no ack.
func (h *Host) sentToLocked(hash i2p.Hash) {
	if r := h.remotes.byHash[hash]; r != nil {
		r.answered = time.Now()
	}
}

// leaseSetEvery is how often a remote that is in touch is sent a LeaseSet though it
// was to get none. Own LeaseSets live for 60 to 100 s.
const leaseSetEvery = 20 * time.Second

// needsLeaseSetLocked reports whether a message to a remote brings our LeaseSet
// though its sender wants none sent. A remote that was never heard needs none, and
// may be somebody who is not to know us. One that was heard keeps to its router by
// that router's own LeaseSet, which lives for a minute or so: without the next one it
// would take another router's lease, and what it sends would be lost.
func (h *Host) needsLeaseSetLocked(hash i2p.Hash, l *link) bool {
	for _, t := range [...]*remotes{h.remotes, h.hearsay} {
		r := t.byHash[hash]
		if r == nil || r.link == nil {
			continue
		}
		now := time.Now()
		if r.rescue == nil && r.toldBy == l && now.Sub(r.told) < leaseSetEvery {
			return false
		}
		r.told, r.toldBy = now, l
		return true
	}
	return false
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
