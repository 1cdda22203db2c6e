package onelease_test

import (
	"strings"
	"testing"
	"time"

	"github.com/onelease/onelease/i2p/simnet"
)

// TestDrain takes a router out of service while remotes ask all the time: it
// leaves the LeaseSet, nobody loses a request, and it comes back.
func TestDrain(t *testing.T) {
	inWorld(t, simnet.Config{Seed: 1}, simnet.I2PD245, func(w *world) {
		defer w.start(w.config())()
		w.addRemotes(6)
		w.untilPublished(memberA, memberB)
		finish := w.asking(200 * time.Millisecond)
		w.untilAnswered(2 * time.Minute)
		finish()
		finish = w.asking(200 * time.Millisecond)
		if err := w.node.Drain(memberA, true); err != nil {
			t.Fatal(err)
		}
		w.until(time.Minute, "the LeaseSet has no lease of the drained router", func() bool { return w.lists(memberA) == 0 })
		time.Sleep(2 * time.Minute)
		if q := finish(); q.Lost > 0 {
			t.Errorf("%d of %d requests lost", q.Lost, q.Sent)
		}
		if err := w.node.Drain(memberA, false); err != nil {
			t.Fatal(err)
		}
		w.untilPublished(memberA, memberB)
		if err := w.node.Drain("c", true); err == nil || !strings.Contains(err.Error(), "there are a, b, publisher") {
			t.Errorf("drain of an unknown router: %v", err)
		}
	})
}
