package backend

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/onelease/onelease/i2p"
)

// A remote that falls silent while its session is young gets one ping by its own
// frontend; one that talks on gets none.
func TestSilentVisitorsGetOnePing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 3, nil)
		defer r.stop()
		conn := r.listen(Datagram, 7)
		silent, talker := r.remote(), r.remote()
		r.hear(1, silent)
		r.hear(2, talker)
		time.Sleep(ackAfter)
		if got := r.acks(); got != 2 {
			t.Errorf("%d acks, want one for each", got)
		}
		for range 20 {
			r.hear(2, talker)
			write(t, conn, i2p.NewAddr(talker.Destination, 7), "answer") // or it would be acked
			time.Sleep(revisitAge / 20)
		}
		time.Sleep(revisitPace)
		synctest.Wait()
		sent := r.collect(isRevisit)
		if len(sent[1]) != 1 || total(sent) != 1 {
			t.Fatalf("pings by frontend: %s, want one by 1", counts(sent))
		}
		p := sent[1][0]
		if p.Peer != silent.Destination {
			t.Error("the ping goes to the one that talks")
		}
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		if sent := r.collect(isRevisit); total(sent) != 0 {
			t.Errorf("more pings: %s", counts(sent))
		}
	})
}

// Where there is a refuge, who is silent is pinged for five minutes.
func TestSilentVisitorsArePingedOnWithARefuge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRefugeRig(t, 2)
		defer r.stop()
		r.listen(Datagram, 7)
		r.hear(0, r.remote())
		time.Sleep(ackAfter)
		r.acks() // that of the datagram
		time.Sleep(20 * time.Minute)
		if pings := total(r.collect(isRevisit)); pings != int(revisitFor/revisitAge)+1 {
			t.Errorf("%d pings, want one each %v for %v", pings, revisitAge, revisitFor)
		}
	})
}
