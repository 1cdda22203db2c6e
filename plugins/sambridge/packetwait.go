package sambridge

import (
	"bytes"
	"context"
	"sync"
	"time"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/sam"
)

const (
	// maxWaitingNames is how many receivers a session may have looked up at once,
	// maxWaitingPackets how many datagrams wait for each, and maxWaitingBytes how
	// much they may be in all.
	maxWaitingNames   = 16
	maxWaitingPackets = 16
	maxWaitingBytes   = 256 << 10
	// lookupTime ends a lookup.
	lookupTime = time.Minute
)

// waiting has datagrams whose receiver is being looked up, by its name. Its zero value is
// empty.
type waiting struct {
	mu     sync.Mutex
	byName map[string][]waitingPacket
	bytes  int
}

type waitingPacket struct {
	out     outgoing
	payload []byte
	tell    func(error)
}

// sendLater keeps a copy of a datagram until its receiver is known. If there is no room
// for it, it is lost.
func (s *session) sendLater(out outgoing, payload []byte, tell func(error)) error {
	w := &s.packets.waiting
	w.mu.Lock()
	defer w.mu.Unlock()
	queue, under := w.byName[out.name]
	if len(queue) >= maxWaitingPackets || w.bytes+len(payload) > maxWaitingBytes || !under && len(w.byName) >= maxWaitingNames {
		s.b.stats.unsentDatagrams.Add(1)
		return nil
	}
	if w.byName == nil {
		w.byName = map[string][]waitingPacket{}
	}
	w.byName[out.name] = append(queue, waitingPacket{out, bytes.Clone(payload), tell})
	w.bytes += len(payload)
	if !under {
		go s.resolve(out.name)
	}
	return nil
}

// resolve looks a name up and sends what waits for it.
func (s *session) resolve(name string) {
	ctx, cancel := context.WithTimeout(s.ctx, lookupTime)
	defer cancel()
	dest, err := s.Hosted.Host().Lookup(ctx, name)
	var peer *i2p.Addr
	if err == nil {
		peer = i2p.NewAddr(dest, 0)
		s.b.peers.put(name, peer, lifeOf(name))
	}
	for i, p := range s.packets.waiting.take(name) {
		s.sendFound(p, peer, err, i == 0)
	}
}

// take takes out what waits for a name.
func (w *waiting) take(name string) []waitingPacket {
	w.mu.Lock()
	defer w.mu.Unlock()
	queue := w.byName[name]
	delete(w.byName, name)
	for _, p := range queue {
		w.bytes -= len(p.payload)
	}
	return queue
}

// sendFound sends a datagram that has waited, or tells why not: once for each lookup.
func (s *session) sendFound(p waitingPacket, peer *i2p.Addr, err error, first bool) {
	if err != nil {
		err = sam.Refusef(lookupResult(err), "%v", err)
	} else {
		p.out.name, p.out.message.Peer = "", peer
		err = s.sendPacket(p.out, p.payload, nil)
		first = true
	}
	if err == nil {
		return
	}
	s.b.stats.unsentDatagrams.Add(1)
	if first && p.tell != nil && s.ctx.Err() == nil {
		p.tell(err)
	}
}
