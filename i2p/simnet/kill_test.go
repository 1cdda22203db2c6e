package simnet_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/onelease/onelease/i2p/simnet"
)

// A killCase is what a service does when a member dies, and how long its
// remotes may then be without an answer.
type killCase struct {
	name    string
	profile simnet.Profile
	ownLife time.Duration
	keeps   bool // RemoteConfig.KeepsSession
	reaction
	// after is from the begin of the talk to the kill, at a time when the merged
	// LeaseSet can be published again at once.
	after       time.Duration
	least, most time.Duration // until the first round trip that works
	seen        string        // with stock routers
}

// A reaction is what the service does about a death.
type reaction struct {
	rotate, hello bool
	rotateAfter   time.Duration // from the hello
	helloEvery    time.Duration // again and again; 0 for once
}

// Ages of sessions at the kill, and never, for remotes that did not come back.
const (
	young = 45 * time.Second
	old   = 205 * time.Second
	never = time.Hour
)

var (
	nothing = reaction{}
	rotates = reaction{rotate: true}
	hello   = reaction{hello: true}
	both    = reaction{rotate: true, hello: true}
	late    = reaction{rotate: true, hello: true, rotateAfter: 2 * time.Second}
	repeats = reaction{hello: true, helloEvery: 8 * time.Second}
)

var killCases = []killCase{
	{"nothing", simnet.I2PD245, 90 * time.Second, false, nothing, old,
		80 * time.Second, 125 * time.Second, "90 s"},
	{"rotation, 25 s leases", simnet.I2PD245, 25 * time.Second, false, rotates, old,
		5 * time.Second, 30 * time.Second, "16-25 s"},
	{"rotation and hello", simnet.I2PD245, 90 * time.Second, false, both, old,
		0, time.Second, "0 messages lost"},
	{"rotation and hello", simnet.I2PD258, 90 * time.Second, false, both, old,
		0, 2 * time.Second, "at most one message lost"},
	{"hello, old sessions", simnet.I2PD245, 90 * time.Second, false, hello, old,
		0, 2 * time.Second, "0.09-1.6 s"},
	{"hello, old sessions", simnet.I2PD258, 90 * time.Second, false, hello, old,
		0, 2 * time.Second, "0.09-1.6 s"},
	{"rotation and hello", simnet.JavaI2P, 90 * time.Second, false, both, old,
		0, 2 * time.Second, "not measured"},
	{"hello, young sessions", simnet.I2PD245, 90 * time.Second, false, hello, young,
		60 * time.Second, 130 * time.Second, "when 120 s old"},

	{"kept, rotation and hello, young", simnet.I2PD245, 90 * time.Second, true, both, young,
		never, never, "none of 3 within 40 s"},
	{"kept, rotation and hello, old", simnet.I2PD245, 90 * time.Second, true, both, old,
		never, never, "none of 17 streams"},
	{"kept, rotation and hello, old", simnet.I2PD258, 90 * time.Second, true, both, old,
		never, never, "not measured"},
	{"kept, hello, rotation 2 s later, old", simnet.I2PD245, 90 * time.Second, true, late, old,
		0, 2 * time.Second, "0.2-1.2 s, one message lost"},
	{"kept, hello, rotation 2 s later, old", simnet.I2PD258, 90 * time.Second, true, late, old,
		0, 2 * time.Second, "not measured"},
	{"kept, hello, old", simnet.I2PD245, 90 * time.Second, true, hello, old,
		0, 2 * time.Second, "mostly at once"},
	{"kept, hello, young", simnet.I2PD245, 90 * time.Second, true, hello, young,
		never, never, "not measured"},
	// Sessions are 120 to 136 s old then.
	{"kept, hello each 8 s, young", simnet.I2PD245, 90 * time.Second, true, repeats, young,
		75 * time.Second, 91 * time.Second, "not measured"},
	// i2pd 2.58 drops all hellos after the first until its path ends.
	{"kept, hello each 8 s, young", simnet.I2PD258, 90 * time.Second, true, repeats, young,
		120 * time.Second, 130 * time.Second, "not measured"},
}

// TestKill kills the member that most remotes are at, and prints how long they
// were without an answer.
func TestKill(t *testing.T) {
	for _, c := range killCases {
		t.Run(c.name+", "+c.profile.Name, func(t *testing.T) {
			synctest.Test(t, c.test)
		})
	}
}

func (c killCase) test(t *testing.T) {
	r := startRun(t, plan{sticky: true, ownLife: c.ownLife, seed: 3, profile: c.profile, remotes: 6, keeps: c.keeps, life: 8 * time.Minute})
	time.Sleep(c.after)
	killed := time.Now()
	stranded := r.kill(r.busiest(), c.rotate && c.rotateAfter == 0)
	c.react(r, stranded)
	r.finish()
	if len(stranded) == 0 {
		t.Fatal("nobody was at the member that died")
	}
	for _, i := range stranded {
		lost, _, first := r.remotes[i].lost(killed, r.end)
		back := fmt.Sprintf("back after %6.1f s", first.Seconds())
		if first < 0 {
			first, back = never, fmt.Sprintf("not back in %.0f s", r.end.Sub(killed).Seconds())
		}
		t.Logf("%-36s %-14s %-19s, %4d lost (seen: %s)", c.name, c.profile.Name, back, lost, c.seen)
		if first < c.least || first > c.most {
			t.Errorf("remote %d was back after %v, want %v to %v", i, first, c.least, c.most)
		}
	}
	t.Log(lossTable(r.n.Stats()))
}

// react is what follows on the kill and the rotation with it.
func (c killCase) react(r *run, stranded []byte) {
	if c.hello {
		r.hello(stranded)
	}
	if c.rotateAfter > 0 {
		time.Sleep(c.rotateAfter)
		r.push(true)
	}
	for c.helloEvery > 0 && time.Until(r.end) > c.helloEvery {
		time.Sleep(c.helloEvery)
		r.hello(stranded)
	}
}

// busiest is the member that most remotes last came in by.
func (s *service) busiest() *member {
	s.mu.Lock()
	defer s.mu.Unlock()
	count := map[*member]int{}
	best := s.members[0]
	for i := range s.remotes {
		m := s.at[byte(i)]
		if count[m]++; count[m] > count[best] {
			best = m
		}
	}
	return best
}
