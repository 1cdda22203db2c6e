package simnet

import (
	"crypto/ecdh"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/i2cp"
)

// A client is whose Destination it is: an I2CP session or a Remote. Its
// methods are called with the network locked and must not block.
type client interface {
	// requestLeases asks for a LeaseSet with these leases.
	requestLeases(leases []i2p.Lease)
	// deliver hands over a framed payload, false if there is no room. The
	// payload must not be kept unless it is copied.
	deliver(payload []byte) bool
	// status says what became of a message with that nonce.
	status(nonce uint32, s i2cp.Status)
	// hangUp ends the session.
	hangUp(reason string)
}

// A pinger is a client whose router has the streaming protocol's part that
// answers pings. It is called as the client is, with a framed payload that came
// by that session.
type pinger interface {
	answerPing(payload []byte, by *ratchet)
}

// staticKey is an X25519 public key, by which ratchet sessions are known.
type staticKey [32]byte

// A destination is a Destination on a router: its tunnels, its LeaseSet, and
// all that its router keeps for it. Guarded by net.mu.
type destination struct {
	net    *Network
	router *Router
	client client
	dest   i2p.Destination
	hash   i2p.Hash
	number int
	rng    *rand.Rand
	closed bool

	options  i2p.Mapping // of the session, nil for a Remote
	public   bool        // publishes its LeaseSet
	quantity int         // of inbound tunnels
	explicit []*peer     // the only gateways to build through; nil for the fast tier
	tunnels  []*tunnel
	building int

	asked      *event // runs while a request is unanswered
	unanswered int
	leaseSet   []byte // as the client installed it
	static     staticKey
	publisher  publisher

	remotes  map[i2p.Hash]*remoteLeases
	lookups  map[i2p.Hash]*lookup
	sessions map[staticKey]*ratchet // to send on
	tags     map[uint64]*ratchet    // to receive on: all whose tags are known
	routing  map[i2p.Hash]*ratchet  // last used for a Destination
	kept     map[i2p.Hash]*ratchet  // nil unless RemoteConfig.KeepsSession
	streams  map[uint32]*streamPath // of the client's streams, by the ID it chose
	lastNew  time.Time              // last incoming new session
}

// newDestinationLocked opens a Destination on r; startLocked is to follow.
func (r *Router) newDestinationLocked(c client, dest i2p.Destination, quantity int, public bool) *destination {
	r.made++
	d := &destination{
		net:      r.net,
		router:   r,
		client:   c,
		dest:     dest,
		hash:     dest.Hash(),
		number:   r.made,
		rng:      newRand(r.net.cfg.Seed, fmt.Sprintf("%s/%d", r.cfg.Name, r.made)),
		public:   public,
		quantity: quantity,
		remotes:  map[i2p.Hash]*remoteLeases{},
		lookups:  map[i2p.Hash]*lookup{},
		sessions: map[staticKey]*ratchet{},
		tags:     map[uint64]*ratchet{},
		routing:  map[i2p.Hash]*ratchet{},
		streams:  map[uint32]*streamPath{},
	}
	r.dests[d.hash] = d
	return d
}

// startLocked starts d's tunnels.
func (d *destination) startLocked() {
	d.openPoolLocked()
	d.cleanUpLaterLocked()
}

// closeLocked takes d off its router; its timers find it closed.
func (d *destination) closeLocked() {
	if d.closed {
		return
	}
	d.closed = true
	d.net.cancelLocked(d.asked)
	for _, t := range d.tunnels {
		delete(d.net.tunnels, t.key)
	}
	d.tunnels = nil
	delete(d.router.dests, d.hash)
}

// afterLocked runs f after delay unless d is closed by then.
func (d *destination) afterLocked(delay time.Duration, f func()) *event {
	return d.net.afterLocked(d.router, delay, func() {
		if !d.closed {
			f()
		}
	})
}

func (d *destination) profile() *Profile { return &d.router.cfg.Profile }

func (d *destination) observeLocked(kind EventKind, leaseSet []byte, detail string) {
	d.net.observeLocked(Event{Kind: kind, Router: d.router.cfg.Name, Destination: d.hash, LeaseSet: leaseSet, Detail: detail})
}

// requestLeasesLocked asks the client for a LeaseSet of the present tunnels.
// While a request is unanswered, later ones are dropped (i2pd I2CP.cpp,
// PostCreateNewLeaseSet).
func (d *destination) requestLeasesLocked() {
	leases := d.leasesLocked()
	if d.asked != nil || len(leases) == 0 {
		return
	}
	d.asked = d.afterLocked(d.profile().I2CP.AnswerWithin, d.unansweredLocked)
	d.client.requestLeases(leases)
}

func (d *destination) unansweredLocked() {
	d.asked = nil
	d.unanswered++
	if d.unanswered > d.profile().I2CP.Unanswered {
		d.client.hangUp("no LeaseSet came in time")
		return
	}
	d.requestLeasesLocked()
}

// installLocked takes a LeaseSet from the client, asked for or not, and
// answers any open request with it. An error says why it is invalid.
func (d *destination) installLocked(raw []byte, keys []i2cp.PrivateKey) error {
	static, err := d.checkInstall(raw, keys)
	if err != nil {
		d.net.countLocked(d.router, func(s *Stats) { s.Invalid++ })
		return err
	}
	d.net.cancelLocked(d.asked)
	d.asked = nil
	d.unanswered = 0
	d.leaseSet = raw
	d.static = static
	for _, s := range d.sessions {
		s.leaseSetState = leaseSetUpdated
	}
	d.observeLocked(EventInstalled, raw, "")
	d.publishLocked()
	return nil
}

// checkInstall returns the static key of a LeaseSet that a client installs.
func (d *destination) checkInstall(raw []byte, keys []i2cp.PrivateKey) (staticKey, error) {
	ls, err := checkLeaseSet(raw)
	if err != nil {
		return staticKey{}, err
	}
	if ls.Destination != d.dest {
		return staticKey{}, fmt.Errorf("is of another Destination")
	}
	static, ok := x25519Of(ls)
	if !ok {
		return staticKey{}, fmt.Errorf("has no X25519 key")
	}
	for _, key := range keys {
		if key.Type != i2p.CryptoX25519 {
			continue
		}
		private, err := ecdh.X25519().NewPrivateKey(key.Key)
		if err == nil && staticKey(private.PublicKey().Bytes()) == static {
			return static, nil
		}
	}
	return staticKey{}, fmt.Errorf("comes without the private key of its X25519 key")
}

// x25519Of is the first X25519 key of ls.
func x25519Of(ls *i2p.LeaseSet2) (staticKey, bool) {
	for _, key := range ls.Keys {
		if key.Type == i2p.CryptoX25519 && len(key.Key) == len(staticKey{}) {
			return staticKey(key.Key), true
		}
	}
	return staticKey{}, false
}
