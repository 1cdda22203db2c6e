package sam

import (
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/onelease/onelease/i2p"
	datagrams "github.com/onelease/onelease/i2p/datagram"
	"github.com/onelease/onelease/internal/owner"
)

func TestWeights(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newNamedServer(t, newFakeHost(t))
		attachBackend(t, s, "a", "WEIGHT=3")
		b := attachBackend(t, s, "b", "")
		attachBackend(t, s, "idle", "WEIGHT=0")
		attachBackend(t, s, "standby", "STANDBY=true WEIGHT=100")
		share := func() map[string]int {
			got := map[string]int{}
			for i := range 4000 {
				var hash i2p.Hash
				hash[0], hash[1], hash[9] = byte(i), byte(i>>8), 1
				d, _ := datagrams.AppendDatagram3(nil, hash, nil, []byte("x"))
				got[who(s, Packet{Protocol: datagrams.Protocol3, Data: d})]++
			}
			return got
		}
		if got := share(); math.Abs(float64(got["a"]-3000)) > 150 || got["a"]+got["b"] != 4000 {
			t.Errorf("3:1 is %v", got)
		}
		b.say("SESSION WEIGHT VALUE=0\n")
		synctest.Wait()
		if got := share(); got["a"] != 4000 {
			t.Errorf("with b drained: %v", got)
		}
	})
}

// A standby serves while no primary does. With nobody who takes anything, a SYN is
// dropped and counted: the remote sends it again.
func TestStandby(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newNamedServer(t, newFakeHost(t))
		a := attachBackend(t, s, "a", "")
		standby := attachBackend(t, s, "standby", "STANDBY=true")
		c := newCaller(t)
		if got := who(s, c.syn(t, 1)); got != "a" {
			t.Errorf("went to %q", got)
		}
		a.say("SESSION WEIGHT VALUE=0\n")
		synctest.Wait()
		if again, fresh := who(s, c.syn(t, 1)), who(s, c.syn(t, 2)); again != "a" || fresh != "standby" {
			t.Errorf("of who drains, the SYN again went to %q, a new one to %q", again, fresh)
		}
		a.nc.Close()
		synctest.Wait()
		if got := who(s, c.syn(t, 1)); got != "standby" {
			t.Errorf("the SYN again, of a backend that is gone, went to %q", got)
		}
		standby.say("SESSION WEIGHT VALUE=0\n")
		synctest.Wait()
		if got := who(s, c.syn(t, 3)); got != "" || s.Stats().Unserved != 1 {
			t.Errorf("went to %q: %+v", got, s.Stats())
		}
	})
}

// A backend that is silent for 2 s gets nothing new until it speaks, and goes on
// getting its own. Its name is then free for another.
func TestSilentBackend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newNamedServer(t, newFakeHost(t))
		silent, speaks := attachBackend(t, s, "silent", "WEIGHT=65535"), attachBackend(t, s, "speaks", "")
		c := newCaller(t)
		speak := func(d time.Duration) {
			for range int(d / time.Second) {
				time.Sleep(time.Second)
				speaks.say("PONG\n") // nobody answers, so that nothing has to be read
			}
			synctest.Wait()
		}
		if got := who(s, c.syn(t, 1)); got != "silent" {
			t.Fatalf("went to %q", got)
		}
		speak(3 * time.Second)
		if again, fresh := who(s, c.syn(t, 1)), who(s, c.syn(t, 2)); again != "speaks" || fresh != "speaks" {
			t.Errorf("of a silent one, the SYN again went to %q, a new one to %q", again, fresh)
		}
		if got := who(s, data(s.ids.Load().Join(owner.Tag("silent"), 1), 6)); got != "silent" {
			t.Errorf("its own went to %q", got)
		}
		silent.say("PONG\n")
		synctest.Wait()
		if got := who(s, c.syn(t, 3)); got != "silent" {
			t.Errorf("when it speaks again, a SYN went to %q", got)
		}
		speak(3 * time.Second)
		next := attachTalker(t, dial(s), "next", "BACKEND=silent LISTEN_PROTOCOL=0 WEIGHT=65535")
		next.say("PONG\n")
		synctest.Wait()
		if got := len(s.Sessions()); got != 2 {
			t.Errorf("%d sessions, want the new one in place of the silent", got)
		}
		time.Sleep(3 * time.Second)
		if got := who(s, c.syn(t, 4)); got == "" {
			t.Error("with all silent, a SYN went to nobody")
		}
	})
}

// A SYN that comes again after the backends have changed is its first owner's, at
// the frontends too that it did not come by.
func TestSynAgainAfterAChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one, two := newNamedServer(t, newFakeHost(t)), newNamedServer(t, newFakeHost(t))
		attachBackend(t, one, "a", "")
		a := attachBackend(t, two, "a", "")
		callers := map[uint32]caller{}
		for id := uint32(1); id <= 20; id++ {
			c := newCaller(t)
			callers[id] = c
			if got := who(one, c.syn(t, id)); got != "a" {
				t.Fatalf("went to %q", got)
			}
			a.say(string(appendBegan(nil, c.Destination.Hash(), id)))
		}
		synctest.Wait()
		attachBackend(t, one, "b", "WEIGHT=65535")
		attachBackend(t, two, "b", "WEIGHT=65535")
		forged := newCaller(t)
		if got := who(two, forged.syn(t, 1)); got != "b" {
			t.Errorf("another's SYN with a known ID went to %q", got)
		}
		for id, c := range callers {
			if got := who(one, c.syn(t, id)) + " " + who(two, c.syn(t, id)) + " " + who(two, data(0, id)); id != 1 && got != "a a a" {
				t.Errorf("SYN %d came again and went to %s", id, got)
			}
		}
	})
}
