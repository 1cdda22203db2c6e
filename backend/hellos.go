package backend

import (
	"container/heap"
	"context"
	"time"

	"github.com/onelease/onelease/i2p/sam"
)

// wake has sayHellos look again.
func (h *Host) wake() {
	select {
	case h.kick <- struct{}{}:
	default:
	}
}

// sayHellos says hello to stranded remotes until ctx ends.
func (h *Host) sayHellos(ctx context.Context) {
	timer := time.NewTimer(helloFor)
	defer timer.Stop()
	for {
		r, client, wait := h.nextHello(time.Now())
		if r != nil {
			h.sayHello(r, client)
			continue
		}
		timer.Reset(wait)
		select {
		case <-ctx.Done():
			return
		case <-h.kick:
		case <-timer.C:
		}
	}
}

// nextHello takes the next rescue that is due out of the queue, or returns how
// long there is nothing to do. It gives up those whose time is over. One that
// is due gets a moment from its link's pace, which may be now, and comes up
// again then; so second hellos queue behind all first ones.
func (h *Host) nextHello(now time.Time) (*rescue, *sam.PacketClient, time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for len(h.rescues.queue) > 0 {
		r := h.rescues.queue[0]
		if wait := r.due.Sub(now); wait > 0 {
			return nil, nil, wait
		}
		if !now.Before(r.until) {
			h.stalls++
			h.rescues.end(r.remote)
			continue
		}
		client := r.client()
		if client == nil { // no link: adoptStrandedLocked will call
			h.rescues.schedule(r, r.until)
			continue
		}
		if !r.paced {
			r.paced = true
			h.rescues.schedule(r, r.remote.link.pace.reserve(now, h.rescues.every))
			continue
		}
		heap.Pop(&h.rescues.queue)
		return r, client, 0
	}
	return nil, nil, helloFor
}

func (r *rescue) client() *sam.PacketClient {
	if r.remote.link == nil {
		return nil
	}
	return r.remote.link.live.Load()
}

// sayHello sends one hello and plans the next.
func (h *Host) sayHello(r *rescue, client *sam.PacketClient) {
	// remote.sender is set and does not change once a remote is stranded.
	to := r.remote.sender.Destination
	if r.packet == nil {
		packet, err := appendHello(nil, &h.self.Load().Origin, r.nonce)
		if err != nil {
			h.log.Error("cannot sign a hello", "error", err)
		}
		r.packet = packet
	}
	err := client.Send(sam.Packet{Peer: to, Protocol: HelloProtocol, Data: r.packet})
	h.mu.Lock()
	defer h.mu.Unlock()
	if r.remote.rescue != r { // it was heard meanwhile
		return
	}
	if l := r.remote.link; l != nil && err == nil {
		l.hellos.Add(1)
	}
	r.said++
	r.paced = false
	h.rescues.schedule(r, time.Now().Add(helloWait(r.said)))
}

// pong takes the answer to a hello that came in by l: only the remote that
// the hello went to can know its nonce.
func (h *Host) pong(l *link, nonce helloNonce) {
	now := time.Now()
	h.mu.Lock()
	defer h.mu.Unlock()
	rescue := h.rescues.byNonce[nonce]
	if rescue == nil {
		return // a late one, to a hello that was answered before
	}
	r := rescue.remote
	t := h.remotes
	if t.byHash[r.hash] != r {
		t = h.hearsay
	}
	t.touch(r.hash, now, h.forgetLocked)
	h.followLocked(r, l)
}
