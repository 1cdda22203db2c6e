package backend

import (
	"crypto/sha256"
	"fmt"
	"time"

	"github.com/onelease/onelease/i2p/datagram"
	"github.com/onelease/onelease/i2p/sam"
)

// receive takes a packet that came in by l, on the goroutine that reads the
// link: signatures are checked there, so that each link has a core of its own
// for it. It keeps nothing of p.Data.
func (l *link) receive(p sam.Packet) {
	h := l.host
	if !l.up() { // not checked yet whose packets these are
		h.unclaimed.Add(1)
		return
	}
	l.in.Add(1)
	if p.Protocol == ProtocolStreaming {
		h.receiveStream(l, p)
		return
	}
	h.receiveDatagram(l, p)
}

// receiveDatagram hands a datagram to the Tap that it is for. l is nil if the Host
// itself has sent it.
func (h *Host) receiveDatagram(l *link, p sam.Packet) {
	t := h.ports.find(p.Protocol, p.ToPort)
	if t == nil {
		h.unclaimed.Add(1)
		return
	}
	kind := t.match.Kind
	payload, from, err := h.open(l, p, kind)
	if err != nil {
		h.invalid.Add(1)
		h.log.Debug("packet dropped", "frontend", l.via(), "error", err)
		return
	}
	t.deliver(Message{
		Kind: kind, Protocol: p.Protocol, FromPort: p.FromPort, ToPort: p.ToPort, Peer: from, Data: payload,
	})
}

// open returns what a packet carries and who sent it, nil for a raw one. The
// payload is a view into p.Data. For all but raw packets it notes where the remote
// was heard.
func (h *Host) open(l *link, p sam.Packet, kind Kind) ([]byte, *Addr, error) {
	switch kind {
	case Datagram:
		return h.open1(l, p)
	case Datagram2:
		return h.open2(l, p)
	case Datagram3:
		d, err := datagram.ParseDatagram3(p.Data)
		if err != nil {
			return nil, nil, err
		}
		return d.Payload, h.heard(l, d.From, nil, p.FromPort), nil
	}
	if l != nil {
		h.cameRaw(l)
	}
	return p.Data, nil, nil
}

func (h *Host) open1(l *link, p sam.Packet) ([]byte, *Addr, error) {
	d, err := datagram.ParseDatagram1(p.Data)
	if err != nil {
		return nil, nil, err
	}
	sender, err := h.senderOf(d.From)
	if err == nil {
		err = d.Verify(sender)
	}
	if err != nil {
		return nil, nil, err
	}
	return d.Payload, h.heard(l, sender.Hash, sender, p.FromPort), nil
}

func (h *Host) open2(l *link, p sam.Packet) ([]byte, *Addr, error) {
	d, err := datagram.ParseDatagram2(p.Data)
	if err != nil {
		return nil, nil, err
	}
	sender, err := h.senderOf(d.From)
	if err != nil {
		return nil, nil, err
	}
	if err := h.verify2(&d, sender); err != nil {
		return nil, nil, err
	}
	return d.Payload, h.heard(l, sender.Hash, sender, p.FromPort), nil
}

func (h *Host) verify2(d *datagram.Datagram2, sender *datagram.Sender) error {
	now := time.Now()
	err := d.Verify(sender, h.self.Load().hash, now)
	if err != nil && h.cfg.SenderTarget {
		err = d.Verify(sender, sender.Hash, now)
	}
	return err
}

// senderOf is the Sender for the From of a datagram. The hash over all of it
// tells one that is known, so a known one costs no decoding.
func (h *Host) senderOf(from []byte) (*datagram.Sender, error) {
	if s := h.known(sha256.Sum256(from), true); s != nil {
		return s, nil
	}
	s, err := datagram.ParseSender(from)
	if err != nil {
		return nil, fmt.Errorf("sender of a datagram: %w", err)
	}
	return s, nil
}
