package frontend

import (
	"encoding/binary"
	"hash/maphash"
	"time"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/datagram"
	"github.com/onelease/onelease/i2p/sam"
)

const (
	// newcomersMost is how many senders of datagrams are remembered, once or twice.
	newcomersMost = 4096
	// newcomersFor is for how long, once or twice: routers keep an idle session
	// for ten minutes.
	newcomersFor = 5 * time.Minute
)

// newcomers tells the packets that may be a remote's first. One goroutine uses
// it. What is forgotten too early costs its router a LeaseSet too many.
type newcomers struct {
	seed        maphash.Seed
	young, aged map[uint64]struct{} // senders of datagrams
	since       time.Time           // of young
}

func newNewcomers() *newcomers {
	return &newcomers{seed: maphash.MakeSeed(), young: map[uint64]struct{}{}, aged: map[uint64]struct{}{}, since: time.Now()}
}

// are reports whether p may be a remote's first packet: one that opens a
// stream, or a datagram of a sender that is not remembered.
func (n *newcomers) are(p *sam.Packet) bool {
	if p.Protocol == sam.ProtocolStreaming {
		return opensStream(p)
	}
	from := sender(p)
	if from == nil {
		return false
	}
	id := maphash.Bytes(n.seed, from)
	if _, known := n.young[id]; known {
		return false
	}
	if len(n.young) >= newcomersMost || time.Since(n.since) > newcomersFor {
		n.young, n.aged, n.since = map[uint64]struct{}{}, n.young, time.Now()
	}
	n.young[id] = struct{}{}
	_, known := n.aged[id]
	return !known
}

// opensStream reports whether p may be the first packet of a stream: it is to
// stream 0 and has number 0 (streaming specification, "Packet Format").
func opensStream(p *sam.Packet) bool {
	return p.Protocol == sam.ProtocolStreaming && len(p.Data) >= 12 &&
		binary.BigEndian.Uint32(p.Data) == 0 && binary.BigEndian.Uint32(p.Data[8:]) == 0
}

// sender is what a datagram begins with: the keys of its sender, or its sender's
// hash ("Datagram Specification"). nil for what names none.
func sender(p *sam.Packet) []byte {
	const keys = 384 // of a Destination, before its certificate
	size := 0
	switch p.Protocol {
	case datagram.Protocol1, datagram.Protocol2:
		size = keys
	case datagram.Protocol3:
		size = i2p.HashSize
	}
	if size == 0 || len(p.Data) < size {
		return nil
	}
	return p.Data[:size]
}
