package watch

import (
	"strings"
	"testing"
	"time"

	"github.com/onelease/onelease/balancer/controlpb"
)

// published is what a leader knows when all is well.
func published() *controlpb.Status {
	ms := func(ago time.Duration) int64 { return now.Add(-ago).UnixMilli() }
	return &controlpb.Status{
		Leader:      true,
		Merged:      &controlpb.LeaseSetStatus{Leases: 6, Routers: 2, Expires: now.Unix() + 60},
		Publication: &controlpb.Publication{AtMs: ms(12 * time.Second), Publishers: []string{"p"}, TakenBy: []string{"p"}, TakenMs: ms(12 * time.Second)},
		NetDb:       &controlpb.NetDB{AtMs: ms(7 * time.Second), By: "a", Found: true, FoundMs: ms(7 * time.Second)},
		Frontends: []*controlpb.FrontendStatus{
			{Name: "a", Member: true, Attached: true, Up: true, ClockKnown: true, ClockOffMs: -30},
			{Name: "p", Publisher: true, Attached: true, Up: true},
		},
	}
}

func TestLeaderChecks(t *testing.T) {
	for _, c := range []struct {
		name string
		edit func(s *controlpb.Status)
		line string
	}{
		{"published", func(*controlpb.Status) {}, "[+] publication: 12s ago, given to the routers of p"},
		{"found", func(*controlpb.Status) {}, "[+] netdb: found by a, 7s ago"},
		{"clocks", func(*controlpb.Status) {}, "[+] clocks: "},
		{"all there", func(*controlpb.Status) {}, "[+] frontends: 2 of 2 are attached and have their router"},
		{"no publisher", func(s *controlpb.Status) { s.Publication.Publishers, s.Publication.TakenBy = nil, nil }, "[!] publication: no publisher is attached and has its router: nothing was published for 12s"},
		{"a slow one", func(s *controlpb.Status) { s.Publication.Publishers = []string{"p", "q"} }, "[!] publication: 12s ago, given to the routers of p; not to those of q"},
		{"a moment later", func(s *controlpb.Status) {
			s.Publication.TakenBy, s.Publication.AtMs = nil, now.Add(-time.Second).UnixMilli()
		}, "[+] publication: 1s ago, given to the routers of none yet"},
		{"not looked", func(s *controlpb.Status) { s.NetDb = nil }, "[+] netdb: not looked up yet"},
		{"one miss", func(s *controlpb.Status) { s.NetDb.Found, s.NetDb.Misses = false, 2 }, "[+] netdb: not found, last by a, 7s ago; lookups: 2; found last: 7s ago"},
		{"gone", func(s *controlpb.Status) { s.NetDb = &controlpb.NetDB{AtMs: s.NetDb.AtMs, By: "a", Misses: 3} }, "[!] netdb: not found, last by a, 7s ago; lookups: 3; found last: never by this leader: newcomers cannot come"},
		{"could not look", func(s *controlpb.Status) { s.NetDb.Found, s.NetDb.Error = false, "refused" }, "[+] netdb: not known; found last: 7s ago; a, 7s ago could not look: refused"},
		{"cannot look", func(s *controlpb.Status) {
			s.NetDb = &controlpb.NetDB{AtMs: s.NetDb.AtMs, By: "a", Error: "refused"}
		}, "[!] netdb: not known; found last: never by this leader"},
		{"away", func(s *controlpb.Status) { s.Frontends[1].Attached = false }, "[!] frontends: 1 of 2 are attached and have their router; p is away"},
		{"no router", func(s *controlpb.Status) { s.Frontends[0].Up = false }, "; a has no router"},
		{"a wrong clock", func(s *controlpb.Status) { s.Frontends[0].ClockOffMs = 90_000 }, "[!] clocks: a's is +90.0 s off from the leader's: see to NTP"},
		{"nothing signed", func(s *controlpb.Status) { s.Merged, s.Publication = nil, nil }, "[!] leaseset: none signed in this office yet"},
		{"expired", func(s *controlpb.Status) { s.Merged.Expires = now.Unix() }, "[!] leaseset: the merged one has expired"},
	} {
		s := published()
		c.edit(s)
		var lines []string
		for _, check := range LeaderChecks(s, now) {
			lines = append(lines, check.String())
		}
		if text := strings.Join(lines, "\n"); !strings.Contains(text, c.line) {
			t.Errorf("%s: want %q in\n%s", c.name, c.line, text)
		}
	}
}
