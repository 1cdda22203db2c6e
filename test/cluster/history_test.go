package cluster_test

import (
	"cmp"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/simnet"
)

// A place is a LeaseSet's in the order of all.
type place struct{ Generation, Term, Seq uint64 }

func (p place) compare(o place) int {
	return cmp.Or(cmp.Compare(p.Generation, o.Generation), cmp.Compare(p.Term, o.Term), cmp.Compare(p.Seq, o.Seq))
}

func (p place) String() string { return fmt.Sprintf("{%d %d %d}", p.Generation, p.Term, p.Seq) }

// An offer is a LeaseSet that a frontend took or refused. Reserves are offers
// as well, when their frontend turns to them.
type offer struct {
	at        time.Time
	frontend  string
	place     place
	merged    bool
	published int64 // Unix time, seconds
	refused   bool
}

// A seen LeaseSet is one that a router was given, or that a floodfill took.
type seen struct {
	at        time.Time
	where     string // the router, or "netDB"
	published int64
	raw       string
	leases    []i2p.Lease
}

// A loss is a router that was killed.
type loss struct {
	at    time.Time
	lists func(i2p.Lease) bool // its tunnels
}

// A history is all that happened in a run, as far as it was seen from outside
// the balancers. Its methods may be called by many goroutines.
type history struct {
	began time.Time
	dest  i2p.Hash

	mu      sync.Mutex
	offers  []offer
	seen    []seen
	losses  []loss
	ops     []porcupine.Operation
	news    chan struct{} // closed, and replaced, with each offer
	refusal map[string]int
}

func newHistory(dest i2p.Hash) *history {
	return &history{began: time.Now(), dest: dest, news: make(chan struct{}), refusal: map[string]int{}}
}

// since is a time as porcupine has it.
func (h *history) since(t time.Time) int64 { return t.Sub(h.began).Nanoseconds() }

func (h *history) addOffer(o offer) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.offers = append(h.offers, o)
	close(h.news)
	h.news = make(chan struct{})
}

// observe is simnet.Config.Observe.
func (h *history) observe(e simnet.Event) {
	if e.Destination != h.dest || e.LeaseSet == nil || e.Kind == simnet.EventRefused {
		return
	}
	where := e.Router
	if e.Kind == simnet.EventPublished {
		where = "netDB"
	}
	ls, _, err := i2p.ParseLeaseSet2(e.LeaseSet)
	if err != nil {
		return // simnet takes only what is right
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.seen = append(h.seen, seen{e.At, where, ls.Published.Unix(), string(e.LeaseSet), ls.Leases})
}

// lose notes that a router with these tunnels is killed.
func (h *history) lose(lists func(i2p.Lease) bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.losses = append(h.losses, loss{time.Now(), lists})
}

// do notes an operation that an operator or a test had done: what does, and
// returns what came of it. Nil is unknown: it may take effect at any later time.
func (h *history) do(input any, what func() any) any {
	began := time.Now()
	output := what()
	h.mu.Lock()
	defer h.mu.Unlock()
	op := porcupine.Operation{Input: input, Call: h.since(began), Output: output, Return: h.since(time.Now())}
	if output == nil {
		op.Return = forever
	}
	h.ops = append(h.ops, op)
	return output
}

// noteRead notes what a look at the leader's state has found, which began then.
func (h *history) noteRead(setting string, value int64, began time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ops = append(h.ops, porcupine.Operation{
		Input: read{setting}, Call: h.since(began), Output: value, Return: h.since(time.Now()),
	})
}

// forever is after all that is ever noted.
const forever = int64(1) << 62

// last is the highest place that any frontend has taken.
func (h *history) last() (highest place) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, o := range h.offers {
		if !o.refused && o.place.compare(highest) > 0 {
			highest = o.place
		}
	}
	return highest
}

// awaitTerm waits until a frontend takes a LeaseSet of a later term, and
// returns it.
func (h *history) awaitTerm(t *testing.T, after place, within time.Duration) offer {
	t.Helper()
	timeout := time.NewTimer(within)
	defer timeout.Stop()
	next := 0
	for {
		h.mu.Lock()
		offers, news := h.offers, h.news
		h.mu.Unlock()
		for ; next < len(offers); next++ {
			o := offers[next]
			if !o.refused && cmp.Or(cmp.Compare(o.place.Generation, after.Generation), cmp.Compare(o.place.Term, after.Term)) > 0 {
				return o
			}
		}
		select {
		case <-news:
		case <-timeout.C:
			t.Fatalf("not within %v: a LeaseSet of a later term than %v", within, after)
		}
	}
}

// publishedSince counts the merged LeaseSets that floodfills took since then.
func (h *history) publishedSince(then time.Time) (count int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, s := range h.seen {
		if s.where == "netDB" && s.at.After(then) {
			count++
		}
	}
	return count
}

// newestWithout reports whether the newest LeaseSet in the netDB has none of those
// leases.
func (h *history) newestWithout(lists func(i2p.Lease) bool) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, s := range slices.Backward(h.seen) {
		if s.where == "netDB" {
			return !slices.ContainsFunc(s.leases, lists)
		}
	}
	return false
}
