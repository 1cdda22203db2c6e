package backend

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/onelease/onelease/backend/backendtest"
)

// acks are the pings that went out.
func (r *rig) acks() int {
	n := 0
	for _, packets := range r.collect(isRevisit) {
		n += len(packets)
	}
	return n
}

// A remote that nobody answers hears from us all the same, now and then.
func TestDatagramsAreAcked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 2, nil)
		defer r.stop()
		remote := r.remote()
		r.listen(Datagram, 7)
		for i, want := range []int{1, 0, 0, 1} {
			r.hear(1, remote)
			time.Sleep(ackAfter) // the bubble's clock
			if got := r.acks(); got != want {
				t.Errorf("%d acks after %d s, want %d", got, 7*i, want)
			}
			time.Sleep(7 * time.Second)
		}
	})
}

// Nor is one pinged that is answered, or that only claims to be somebody.
func TestNoAckNeeded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 1, nil)
		defer r.stop()
		answered, claimed := r.remote(), r.remote()
		conn := r.listen(Datagram2, 7)
		r.listen(Datagram3, 7)
		r.frontends[0].Deliver(answered.Datagram2(7, "x"))
		r.frontends[0].Deliver(claimed.Datagram3(7, "x"))
		_, from := read(t, conn)
		for range 10 {
			write(t, conn, from, "answer")
			time.Sleep(9 * time.Second)
			r.frontends[0].Deliver(answered.Datagram2(7, "x"))
		}
		if got := r.acks(); got > 1 { // one may be a revisit
			t.Errorf("%d pings to one who is answered", got)
		}
	})
}

// An ack needs a key to sign with.
func TestNoAckWithoutSigner(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 1, func(c *Config) { c.Signer = nil })
		defer r.stop()
		r.listen(Datagram3, 7)
		r.frontends[0].Deliver(backendtest.NewRemote(t, r.keys.Destination).Datagram3(7, "x"))
		if got := r.acks(); got != 0 {
			t.Errorf("%d acks", got)
		}
	})
}
