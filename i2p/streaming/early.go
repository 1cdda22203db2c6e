package streaming

import (
	"bytes"
	"iter"
	"sync"
	"time"
)

const (
	maxEarly  = 64          // packets
	earlyLife = time.Second // of a packet that waits for its SYN
)

// earlyPackets holds packets that overtook the SYN, or the SYN reply, of their
// stream: a ring, in which the oldest make room.
type earlyPackets struct {
	mu      sync.Mutex
	packets []earlyPacket
	next    int
}

type earlyPacket struct {
	id   uint32 // of whoever sent the SYN that is awaited; 0 is an empty place
	at   time.Duration
	data []byte
}

// keep holds a copy of a packet, unless it is larger than any that is sent.
func (e *earlyPackets) keep(id uint32, in *Inbound, now time.Duration) {
	const largest = 4 << 10
	if len(in.Data) > largest {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.packets == nil {
		e.packets = make([]earlyPacket, maxEarly)
	}
	at := &e.packets[e.next]
	e.next = (e.next + 1) % maxEarly
	*at = earlyPacket{id: id, at: now, data: append(at.data[:0], in.Data...)}
}

// take returns the packets for id that are not too old, and forgets them.
func (e *earlyPackets) take(id uint32, now time.Duration) iter.Seq[*Packet] {
	e.mu.Lock()
	defer e.mu.Unlock()
	var found [][]byte
	for i := range e.packets {
		// In the order in which they came.
		at := &e.packets[(e.next+i)%maxEarly]
		if at.id != id {
			continue
		}
		at.id = 0
		if now-at.at <= earlyLife {
			found = append(found, bytes.Clone(at.data))
		}
	}
	return func(yield func(*Packet) bool) {
		for _, data := range found {
			var p Packet
			if p.Parse(data) == nil && !yield(&p) {
				return
			}
		}
	}
}
