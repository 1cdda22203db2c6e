package onelease

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/onelease/onelease/i2p"
)

// Which routers a Destination gets: m is a member, p a publisher, b both. In the answer a
// capital letter is a router that opens its session at once.
func TestChoose(t *testing.T) {
	for _, test := range []struct {
		routers     string
		members     int
		unpublished bool
		want        string // sorted
	}{
		{"mmp", 2, false, "MMp"},
		{"mmmp", 2, false, "MMp"},
		{"mmmppp", 2, false, "MMpp"},
		{"mp", 2, false, "Mp"},
		{"mp", 1, true, "M"},
		{"bb", 2, false, "BB"}, // nobody else publishes
		{"bb", 2, true, "MM"},
		{"bb", 1, false, "Mp"},
		{"bbb", 2, false, "MMp"},
		{"mb", 2, false, "BM"},
		{"mmb", 2, false, "MMp"},
		{"bbp", 2, false, "MMp"},
	} {
		sites := sitesOf(test.routers)
		serve, publish := choose(sites, test.members, test.unpublished)
		if got := describe(serve, publish); got != test.want {
			t.Errorf("of %s, %d members, unpublished %v: %s, want %s", test.routers, test.members, test.unpublished, got, test.want)
		}
		load := 0
		for _, s := range sites {
			load += s.load
		}
		if load != len(test.want) {
			t.Errorf("of %s: %d places are counted", test.routers, load)
		}
	}
}

func sitesOf(routers string) (sites []*site) {
	for _, r := range routers {
		sites = append(sites, &site{Router: Router{Member: r != 'p', Publisher: r != 'm'}})
	}
	return sites
}

func describe(serve, publish []*place) string {
	var roles []string
	for _, p := range serve {
		role := "M"
		if p.publisher {
			role = "B"
		}
		roles = append(roles, role)
	}
	for _, p := range publish {
		roles = append(roles, map[bool]string{true: "?", false: "p"}[p.member])
	}
	slices.Sort(roles)
	return strings.Join(roles, "")
}

// What was published is known for as long as anybody may hold it, and no longer.
func TestPast(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	hash := func(i int) (h i2p.Hash) {
		h[0], h[1] = byte(i), byte(i>>8)
		return h
	}
	p := past{}
	p.note(hash(0), uint32(now.Unix())+20, now)
	p.note(hash(0), uint32(now.Unix())+10, now) // an older one does not count
	if got := p.last(hash(0)); int64(got) != now.Unix()+20 {
		t.Errorf("published %d", got)
	}
	later := now.Add(i2p.MaxLeaseSetLife + 15*time.Second)
	for i := 1; i < pruneOver; i++ {
		p.note(hash(i), uint32(now.Unix()), later)
	}
	if len(p) != 1 || p.last(hash(0)) == 0 {
		t.Errorf("%d are left, want that of 20 s later alone", len(p))
	}
	if got := publishedBefore(now, now.Add(lastRun)); got != 0 {
		t.Errorf("after the time of a last run: %d", got)
	}
}
