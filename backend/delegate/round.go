package delegate

import "math/rand/v2"

// maxRedirects is how often in a row a redirect is followed at once: balancers
// that have just lost their leader may point at each other.
const maxRedirects = 3

// A round goes round the balancers, from any of them on, and follows redirects.
type round struct {
	balancers       []string
	next, redirects int
	leader          string // to ask next, if one was named
}

func newRound(balancers []string) *round {
	return &round{balancers: balancers, next: rand.IntN(len(balancers))}
}

// target is whom to ask next.
func (r *round) target() string {
	if leader := r.leader; leader != "" {
		r.leader = ""
		return leader
	}
	r.redirects = 0
	target := r.balancers[r.next%len(r.balancers)]
	r.next++
	return target
}

// follow has leader asked next, and reports whether it will be at once.
func (r *round) follow(leader string) bool {
	if r.redirects == maxRedirects {
		return false
	}
	r.redirects++
	r.leader = leader
	return true
}
