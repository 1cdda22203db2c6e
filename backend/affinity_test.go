package backend

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/onelease/onelease/backend/backendtest"
	"github.com/onelease/onelease/i2p"
)

func TestAnswersGoOutWhereTheRemoteCameIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 4, nil)
		defer r.stop()
		conn := r.listen(Datagram, 7)
		for f := range r.frontends { // the choice for an unknown one is right for one of them at most
			remote := r.remote()
			r.hear(f, remote)
			payload, from := read(t, conn)
			if payload != "here" || from.Destination != remote.Destination || from.Port != remote.Port {
				t.Fatalf("read %q from %v", payload, from)
			}
			for range 3 {
				write(t, conn, from, "answer")
			}
			sent := r.sentBy()
			if len(sent[f]) != 3 || total(sent) != 3 {
				t.Fatalf("answers by frontend: %s, want all 3 by %d", counts(sent), f)
			}
			remote.Port++
			r.hear(f, remote)
			if _, again := read(t, conn); again.Port != remote.Port || from.Port == again.Port {
				t.Errorf("from port %d: %v, and the address before is %v", remote.Port, again, from)
			}
			remote.Port--
			if p := sent[f][0]; remote.Open(p) != "answer" || p.FromPort != 7 || p.ToPort != remote.Port {
				t.Errorf("answer %+v", p)
			}
		}
	})
}

func total[T any](lists [][]T) (n int) {
	for _, l := range lists {
		n += len(l)
	}
	return n
}

func TestTheNewerFrontendIsFollowed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 3, nil)
		defer r.stop()
		conn := r.listen(Datagram, 7)
		remote := r.remote()
		for moves, f := range []int{2, 0, 1} {
			time.Sleep(settleTime)
			r.hear(f, remote)
			_, from := read(t, conn)
			write(t, conn, from, "x")
			if sent := r.sentBy(); len(sent[f]) != 1 || total(sent) != 1 {
				t.Errorf("heard by %d, sent by %s", f, counts(sent))
			}
			if s := r.host.Stats(); s.Moved != uint64(moves) || s.Remotes != 1 || s.Frontends[f].Remotes != 1 {
				t.Errorf("heard by %d: %+v", f, s)
			}
		}
	})
}

// A remote that begins two things at once begins a session for each, which may
// be with two routers. Only one of them may answer.
func TestANewcomerIsAnsweredByOneFrontend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 2, nil)
		defer r.stop()
		conn := r.listen(Datagram, 7)
		remote := r.remote()
		for _, f := range []int{1, 0, 1, 0} {
			r.hear(f, remote)
			_, from := read(t, conn)
			write(t, conn, from, "x")
			if sent := r.sentBy(); len(sent[1]) != 1 || total(sent) != 1 {
				t.Errorf("heard by %d, sent by %s", f, counts(sent))
			}
		}
		r.frontends[1].Kill()
		time.Sleep(time.Second)
		r.hear(0, remote)
		_, from := read(t, conn)
		r.sentBy()
		write(t, conn, from, "x")
		if sent := r.sentBy(); len(sent[0]) != 1 {
			t.Errorf("the frontend is lost, sent by %s", counts(sent))
		}
	})
}

func TestUnknownRemotesAreSpreadAndKeepTheirFrontend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 4, nil)
		defer r.stop()
		conn := r.listen(Raw, 0)
		spread := make([]int, len(r.frontends))
		for range 100 {
			to := i2p.NewAddr(newKeys(t).Destination, 9)
			write(t, conn, to, "one")
			write(t, conn, to, "two")
			time.Sleep(greetingPatience) // the bubble's clock
			for f, sent := range r.sentBy() {
				if n := len(sent); n == 1 {
					t.Fatal("two packets to one unknown remote took two frontends")
				} else if n == 2 {
					spread[f]++
				}
			}
		}
		for f, n := range spread {
			if n < 10 || n > 45 { // 25 expected; beyond 10 or 45 is 3.5 sigma
				t.Errorf("frontend %d got %d of 100 remotes: %v", f, n, spread)
			}
		}
	})
}

// Nobody can move somebody else's remote by claiming its hash.
func TestUnsignedDatagramsMoveNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 2, nil)
		defer r.stop()
		conn, unsigned := r.listen(Datagram, 7), r.listen(Datagram3, 7)
		remote := r.remote()
		r.hear(0, remote)
		_, from := read(t, conn)
		r.frontends[1].Deliver(remote.Datagram3(7, "it's me"))
		synctest.Wait()
		if payload, claimed := read(t, unsigned); payload != "it's me" || claimed.Hash != from.Hash {
			t.Fatalf("read %q from %v", payload, claimed)
		}
		forged := remote.Datagram(7, "forged")
		forged.Data[len(forged.Data)-1]++
		r.frontends[1].Deliver(forged)
		synctest.Wait()
		write(t, conn, from, "x")
		if sent := r.sentBy(); len(sent[0]) != 1 {
			t.Errorf("sent by %s, want the first", counts(sent))
		}
		if s := r.host.Stats(); s.Invalid != 1 || s.Moved != 0 {
			t.Errorf("%+v", s)
		}
	})
}

func TestRemotesAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 2, func(c *Config) { c.MaxRemotes = 3 })
		defer r.stop()
		r.listen(Datagram, 7)
		remotes := make([]*backendtest.Remote, 4)
		for i := range remotes {
			remotes[i] = r.remote()
			r.hear(0, remotes[i])
		}
		known := func(i int) bool { return r.host.known(remotes[i].Destination.Hash(), false) != nil }
		if known(0) || !known(1) || !known(3) {
			t.Error("want the oldest of four driven out, and only it")
		}
		r.hear(0, remotes[1]) // 2 is the oldest now
		r.hear(0, remotes[0])
		if known(2) || !known(1) {
			t.Error("want the one out that was heard least recently")
		}
		time.Sleep(9 * time.Minute)
		r.hear(0, remotes[1])
		time.Sleep(3 * time.Minute)
		synctest.Wait()
		if s := r.host.Stats(); s.Remotes != 1 || !known(1) {
			t.Errorf("after 12 min: %d remotes, want the one that was heard after 9", s.Remotes)
		}
	})
}
