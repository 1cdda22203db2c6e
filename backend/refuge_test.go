package backend

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/onelease/onelease/backend/backendtest"
)

// newRefugeRig is newRig with a refuge for the last of the frontends.
func newRefugeRig(t *testing.T, n int) *rig {
	t.Helper()
	var refuge *backendtest.Frontend
	r := newRig(t, n-1, func(c *Config) {
		refuge = backendtest.NewRefuge(c.Destination)
		c.Frontends = append(c.Frontends, Frontend{Name: "refuge", Dial: refuge.Dial})
	})
	r.frontends = append(r.frontends, refuge)
	return r
}

// A refuge serves who comes to it, and is chosen for nobody else: neither for
// those that were not heard, nor for hellos.
func TestRefugeServesOnlyWhoComes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRefugeRig(t, 3)
		defer r.stop()
		conn := r.listen(Datagram, 7)
		for range 20 { // each is for another frontend with the same chance
			write(t, conn, &Addr{Destination: r.remote().Destination, Port: 1}, "x")
		}
		if sent := r.sentBy(); len(sent[2]) != 0 || total(sent) != 20 {
			t.Errorf("to strangers by %s", counts(sent))
		}
		comes := r.remote()
		r.hear(2, comes)
		_, from := read(t, conn)
		write(t, conn, from, "answer")
		if sent := r.sentBy(); len(sent[2]) != 1 {
			t.Errorf("the answer went by %s", counts(sent))
		}
		for range 5 {
			r.hear(0, r.remote())
		}
		r.frontends[0].Kill()
		time.Sleep(helloFor)
		if hellos := r.hellosBy(); len(hellos[2]) != 0 || len(hellos[1]) < 5 {
			t.Errorf("hellos by %s", counts(hellos))
		}
	})
}

// With nobody else it is better than nothing; drained members come first.
func TestRefugeIsTheLastResort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRefugeRig(t, 3)
		defer r.stop()
		conn := r.listen(Datagram, 7)
		r.frontends[0].Kill()
		r.frontends[1].SetDraining(true)
		synctest.Wait()
		to := &Addr{Destination: r.remote().Destination, Port: 1}
		write(t, conn, to, "x")
		if sent := counts(r.sentBy()); sent != "0 1 0" {
			t.Errorf("sent by %s while a drained member is up", sent)
		}
		r.frontends[1].Kill()
		synctest.Wait()
		write(t, conn, to, "x")
		if sent := counts(r.sentBy()); sent != "0 0 1" {
			t.Errorf("sent by %s with the refuge alone", sent)
		}
	})
}

// Who is served by a lost refuge is said hello to by the members.
func TestRemotesOfALostRefuge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRefugeRig(t, 2)
		defer r.stop()
		r.listen(Datagram, 7)
		r.hear(1, r.remote())
		r.frontends[1].Kill()
		time.Sleep(2 * helloAfter)
		if hellos := r.hellosBy(); len(hellos[0]) == 0 {
			t.Error("no hello")
		}
	})
}
