package backend

import "time"

const (
	// helloAfter is when the first hello goes out after a loss: when the
	// survivor's router has had time to get a LeaseSet that is newer than the
	// lost member's. The remote takes no older one, and i2pd 2.58 drops all
	// hellos after the first until that is replied to.
	helloAfter = 100 * time.Millisecond
	// helloFor is how long a stranded remote is said hello to. A router takes a
	// new session for an old one only when that is 120 s old (i2pd, Java).
	helloFor = 150 * time.Second
	// streamsFor is the same for one that has streams: for as long as these wait
	// for an ack (streaming.Config.GiveUp).
	streamsFor = 5 * time.Minute
	// helloMost is the longest wait between two hellos to a remote.
	helloMost = 8 * time.Second
	// moveSpread is added to helloMost at random while a frontend drains: its
	// remotes are in no hurry, and there may be many.
	moveSpread = 7 * time.Second
	// newerWait is how long a hello waits for its router to get a newer LeaseSet than
	// the remote may hold: they are renewed every 10 s. Where there is one elsewhere,
	// it goes there after newerHere.
	newerWait = 12 * time.Second
	newerHere = time.Second
	// handedWait is how long the router is waited for to say that a hello went
	// out. A lookup of the remote's LeaseSet takes i2pd 12 s at most.
	handedWait = 15 * time.Second
	// moveCheck is when the streams of a moved remote are looked after. They
	// need no nudge to go on, so those that do go on are left alone.
	moveCheck = time.Second
)

// helloWaits are the waits after the first hellos: a loss in the tunnels is
// made good soon, a remote that cannot be moved yet costs little.
var helloWaits = [...]time.Duration{
	100 * time.Millisecond, 400 * time.Millisecond, 500 * time.Millisecond,
	time.Second, 2 * time.Second, 4 * time.Second,
}

// helloWait is the wait after a number of hellos.
func helloWait(said int) time.Duration {
	if said <= len(helloWaits) {
		return helloWaits[said-1]
	}
	return helloMost
}

// A rescue is the work on one remote that has to change links: because its own
// was lost, or drains. It has two phases:
//
//	hello --the remote is heard by another link--> streams --all are heard--> over
//
// In the first it is said hello to, until the remote is heard or the time is up.
// The first hello goes alone. A router that does not know the remote's LeaseSet
// has each message wait for that, and then begins a session with each; i2pd 2.58
// sends what comes later by the last of those, while the remote has answered the
// first, and nothing gets through until the last one's path expires, 120 s later
// (libi2pd_client/I2CP.cpp, SendMsgTo, AddRoutingSession). So nothing else is
// sent before the router says that the hello went out. After that the streams of
// a stranded remote are nudged behind each hello, for those that answer no pings.
//
// That the remote is heard does not say that its streams are: each keeps the
// session that it has until it notices that this is dead. So in the second
// phase those that are silent are nudged, at once and again.
//
// While no link is up it waits for one. Host.mu guards all of it.
type rescue struct {
	remote *remote
	// from is where it was heard before. If drain is set, that serves it on.
	from  *link
	drain bool
	// via is the link that takes the hellos; nil as long as there is none.
	via   *link
	nonce helloNonce

	awaiting bool // the router has not said yet what became of the last hello
	greeted  bool // a hello went out by via
	invited  bool // a hello went out since the loss, by any link
	answered bool // it is in its second phase
	// lostAt is when its streams began to stall; since is from when on a stream
	// counts as heard, which a second loss moves.
	lostAt, since time.Time
	streams       int // there were at the loss
	// silent is how many streams were not heard since then; -1 if there was
	// no look at them yet.
	silent       int
	streamsHeard bool // a packet of a stream came, which may be a new one
	resumed      bool // a stream that was silent is not any more

	// newest is the date of the newest LeaseSet of ours that the remote may hold: it
	// takes none by a hello that is not newer. patience is until when one that
	// brings no newer one waits; zero: nothing waits.
	newest   uint32
	patience time.Time

	// earliest is until when the remote's session is sure to be too young to be
	// taken over.
	earliest time.Time

	said  int // in this phase
	due   time.Time
	paced bool // due is a moment reserved from via's pace
	until time.Time
	place int // in the heap; -1 while it is not in it
}

// holds reports whether nothing but a hello may go to the remote.
func (r *rescue) holds() bool { return !r.drain && !r.answered && !r.greeted }

// holdsDatagrams is holds for those. While a session is too young for a hello
// they may pass: they arrive, and nobody sends them again.
func (r *rescue) holdsDatagrams() bool {
	return r.holds() && (r.awaiting || time.Since(r.since) < helloAfter)
}
