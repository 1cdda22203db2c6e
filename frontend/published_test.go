package frontend

import (
	"testing"
	"time"

	"github.com/onelease/onelease/i2p/sam"
	"github.com/onelease/onelease/i2p/simnet"
)

// A backend is told of what date the router's LeaseSet is, since a hello is of no
// use if the remote holds a newer one.
func TestBackendsKnowTheLeaseSetsDate(t *testing.T) {
	inWorld(t, simnet.I2PD245, nil, func(w *world) {
		w.untilServing()
		told := make(chan uint32, 16)
		c, err := sam.Dial(w.t.Context(), sam.ClientConfig{Dial: w.frontend.DialSAM, OnLeaseSet: func(published uint32) { told <- published }})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		next := func() uint32 {
			select {
			case published := <-told:
				return published
			case <-time.After(time.Minute):
				t.Fatal("the backend is not told")
				return 0
			}
		}
		first := next()
		w.sign(0, 7, 100, time.Minute, 0)
		if e := w.untilAnswered(7, 100); e != "" {
			t.Fatal(e)
		}
		held := uint32(w.frontend.leases.held.parsed.Published.Unix())
		for second := first; second != held; {
			if second = next(); second <= first {
				t.Fatalf("dated %d after %d", second, first)
			}
			first = second
		}
	})
}
