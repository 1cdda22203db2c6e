package simnet_test

import (
	"crypto/ecdh"
	"encoding/binary"
	"sync"
	"testing"
	"time"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/i2cp"
	"github.com/onelease/onelease/i2p/simnet"
)

// Times of the sticky scheme under test.
const (
	ownEvery   = 10 * time.Second
	mergedLife = 150 * time.Second
	mergedEach = 25 * time.Second
)

// A service is one Destination on several routers: the least that a
// multi-homed client does. It echoes each message through the router that it
// came in by.
type service struct {
	t       *testing.T
	keys    *i2p.Keys
	sticky  bool
	ownLife time.Duration // of a member's own LeaseSet
	members []*member
	// publishers hold the merged LeaseSet; with a plain one the members are.
	publishers []*member
	remotes    []*testRemote
	survivor   *member // says hello after a kill

	mu        sync.Mutex
	take      func(m *member, p i2cp.Payload) // in place of the echo
	key       *ecdh.PrivateKey
	published time.Time
	merged    time.Time        // last push of the merged LeaseSet
	at        map[byte]*member // where each remote's packets last came in
}

// A member is one session of the service.
type member struct {
	*testClient
	s      *service
	router *simnet.Router
	leases []i2p.Lease
	dead   bool
}

// A testRemote counts its round trips by the second in which they began.
type testRemote struct {
	*simnet.Remote
	mu       sync.Mutex
	sentAt   []time.Time
	answered map[int]bool
}

func newService(t *testing.T, n *simnet.Network, sticky bool, ownLife time.Duration, profile simnet.Profile) *service {
	s := &service{t: t, keys: newKeys(t), sticky: sticky, ownLife: ownLife, key: newX25519(), at: map[byte]*member{}}
	for range 3 {
		s.members = append(s.members, s.join(n, profile, !sticky))
	}
	if sticky {
		s.publishers = append(s.publishers, s.join(n, profile, true))
	} else {
		s.publishers = s.members
	}
	return s
}

// join opens a session on a router of its own.
func (s *service) join(n *simnet.Network, profile simnet.Profile, publishes bool) *member {
	m := &member{s: s, router: n.NewRouter(simnet.RouterConfig{Profile: profile})}
	m.testClient = dial(s.t, m.router, s.keys)
	m.onLeases = func(leases []i2p.Lease) { s.leasesCame(m, leases) }
	m.onMessage = func(p i2cp.Payload) { s.echo(m, p) }
	dontPublish := "false"
	if publishes == profile.I2CP.DontPublishInverted {
		dontPublish = "true"
	}
	m.start()
	m.create(i2p.Mapping{"inbound.quantity": "3", "i2cp.dontPublishLeaseSet": dontPublish})
	return m
}

// next is a `published` newer than all before.
func (s *service) next() time.Time {
	now := time.Now().Truncate(time.Second)
	if !now.After(s.published) {
		now = s.published.Add(time.Second)
	}
	s.published = now
	return now
}

// signMerged has the leases of all members that live.
func (s *service) signMerged(life time.Duration) []byte {
	var leases []i2p.Lease
	for _, m := range s.members {
		if !m.dead {
			leases = append(leases, capped(m.leases, life)...)
		}
	}
	return signLeases(s.t, s.keys, s.key, s.next(), leases)
}

// capped lets no lease end later than life from now.
func capped(leases []i2p.Lease, life time.Duration) []i2p.Lease {
	var short []i2p.Lease
	for _, lease := range leases {
		if end := time.Now().Add(life); lease.End.After(end) {
			lease.End = end
		}
		short = append(short, lease)
	}
	return short
}

func (s *service) leasesCame(m *member, leases []i2p.Lease) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m.leases = leases
	switch {
	case !s.sticky:
		s.pushMerged(time.Hour)
	case m == s.publishers[0]:
		s.pushMerged(mergedLife)
	default:
		s.pushOwn(m)
	}
}

// pushMerged hands identical bytes to all publishers.
func (s *service) pushMerged(life time.Duration) {
	raw := s.signMerged(life)
	s.merged = time.Now()
	for _, p := range s.publishers {
		if !p.dead && p.session() != 0 {
			p.install(raw, s.key)
		}
	}
}

func (s *service) pushOwn(m *member) {
	if len(m.leases) > 0 {
		m.install(signLeases(s.t, s.keys, s.key, s.next(), capped(m.leases, s.ownLife)), s.key)
	}
}

// refresh keeps the LeaseSets of the sticky scheme alive until the test ends.
func (s *service) refresh(until time.Time) {
	for time.Now().Before(until) {
		time.Sleep(ownEvery)
		s.mu.Lock()
		for _, m := range s.members {
			if !m.dead {
				s.pushOwn(m)
			}
		}
		if time.Since(s.merged) >= mergedEach {
			s.pushMerged(mergedLife)
		}
		s.mu.Unlock()
	}
}

// echo answers through the router that the packet came in by.
func (s *service) echo(m *member, p i2cp.Payload) {
	s.mu.Lock()
	if take := s.take; take != nil {
		s.mu.Unlock()
		take(m, p)
		return
	}
	remote := p.Data[0]
	s.at[remote] = m
	s.mu.Unlock()
	m.send(s.remotes[remote].Destination(), p.Data, 0)
}

// kill is a member's router dying and the service noticing at once: the merged
// LeaseSet loses its leases, and the key is rotated if wanted. It returns the
// stranded remotes.
func (s *service) kill(victim *member, rotate bool) []byte {
	victim.router.Kill()
	s.mu.Lock()
	s.buryLocked(victim)
	var stranded []byte
	for i := range s.remotes {
		if s.at[byte(i)] == victim {
			stranded = append(stranded, byte(i))
		}
	}
	s.mu.Unlock()
	s.push(rotate)
	return stranded
}

// buryLocked notes that a member is dead, and who takes its place.
func (s *service) buryLocked(victim *member) {
	victim.dead = true
	s.survivor = s.members[0]
	if s.survivor == victim {
		s.survivor = s.members[1]
	}
}

// push hands out LeaseSets of those that live, with another key if wanted.
func (s *service) push(rotate bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if rotate {
		s.key = newX25519()
	}
	for _, m := range s.members {
		if !m.dead {
			s.pushOwn(m)
		}
	}
	s.pushMerged(mergedLife)
}

// hello sends each of the remotes a message through the survivor.
func (s *service) hello(remotes []byte) {
	for _, i := range remotes {
		s.survivor.send(s.remotes[i].Destination(), []byte{i}, 0)
	}
}

// newTestRemote adds a remote client that talks to the service.
func (s *service) newTestRemote(n *simnet.Network, profile simnet.Profile, keeps bool) *testRemote {
	r := &testRemote{answered: map[int]bool{}}
	r.Remote = n.NewRemote(simnet.RemoteConfig{Profile: profile, Published: true, KeepsSession: keeps, OnMessage: r.onMessage})
	s.remotes = append(s.remotes, r)
	return r
}

func (r *testRemote) onMessage(p i2cp.Payload) {
	if len(p.Data) < 5 {
		return // a hello
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answered[int(binary.BigEndian.Uint32(p.Data[1:]))] = true
}

// talk sends five messages a second.
func (r *testRemote) talk(index byte, to i2p.Hash, until time.Time) {
	for time.Now().Before(until) {
		r.mu.Lock()
		data := binary.BigEndian.AppendUint32([]byte{index}, uint32(len(r.sentAt)))
		r.sentAt = append(r.sentAt, time.Now())
		r.mu.Unlock()
		r.Send(to, 0, 0, i2cp.ProtocolRaw, data)
		time.Sleep(200 * time.Millisecond)
	}
}

// lost counts the round trips that failed among those begun in [from, to), and
// the time from `from` to the first that worked.
func (r *testRemote) lost(from, to time.Time) (lost, sent int, first time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	first = -1
	for i, at := range r.sentAt {
		if at.Before(from) || !at.Before(to) {
			continue
		}
		sent++
		if !r.answered[i] {
			lost++
		} else if first < 0 {
			first = at.Sub(from)
		}
	}
	return lost, sent, first
}
