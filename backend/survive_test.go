package backend

import (
	"bytes"
	"errors"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/onelease/onelease/backend/backendtest"
	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/sam"
	"github.com/onelease/onelease/i2p/streaming"
)

func TestStreamsSurviveTheLossOfTheirFrontend(t *testing.T) {
	for _, loss := range losses {
		for name, direction := range transfers {
			t.Run(name+" "+loss.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					r := newStreamRig(t, 3, nil)
					defer r.stop()
					remote := r.net.NewRemote(0, false)
					near, far := r.open(remote, 80)
					time.Sleep(backendtest.SessionAge + time.Second)
					time.AfterFunc(time.Second, func() { loss.lose(r.frontends[0]) })
					from, to := direction(near, far)
					want := seeded(1 << 20)
					got, gap := transfer(from, to, want)
					if !bytes.Equal(got, want) {
						t.Errorf("%d bytes of %d came, or others", len(got), len(want))
					}
					// The nudge brings the answer, not the remote's own timer.
					if most := loss.notice + helloAfter + 900*time.Millisecond; gap > most {
						t.Errorf("stood still for %v, want %v at most", gap, most)
					}
					synctest.Wait()
					time.Sleep(time.Second)
					s := r.host.Stats()
					if s.Stalls.Resumed != 1 || s.Stalls.Max > helloAfter+500*time.Millisecond || s.Stranded != 0 || s.Streams.Open != 1 {
						t.Errorf("%+v", s)
					}
				})
			})
		}
	}
}

// Neither end has anything to say, so only the nudge shows the remote the way.
func TestIdleStreamsSurvive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newStreamRig(t, 2, nil)
		defer r.stop()
		remote := r.net.NewRemote(0, false)
		near, far := r.open(remote, 80)
		near2, far2 := r.open(remote, 81)
		time.Sleep(8 * time.Minute) // beyond StrandWindow
		r.frontends[0].Kill()
		time.Sleep(5 * time.Second)
		for i, ends := range [][2]net.Conn{{near, far}, {far, near}, {near2, far2}, {far2, near2}} {
			start := time.Now()
			ends[0].Write([]byte("still here"))
			b := make([]byte, 10)
			if _, err := io.ReadFull(ends[1], b); err != nil || time.Since(start) > time.Second {
				t.Errorf("write %d: %q, %v after %v", i, b, err, time.Since(start))
			}
		}
		if s := r.host.Stats(); s.Stalls.Resumed != 1 || s.Stalls.Max > time.Second || len(r.host.rescues.byID) != 0 {
			t.Errorf("%+v", s)
		}
	})
}

func TestYoungSessionsResumeWhenTheyAreOld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newStreamRig(t, 2, nil)
		defer r.stop()
		near, far := r.open(r.net.NewRemote(0, false), 80)
		time.Sleep(10 * time.Second)
		time.AfterFunc(time.Second, r.frontends[0].Kill)
		want := seeded(1 << 20)
		got, gap := transfer(near, far, want)
		if !bytes.Equal(got, want) || gap < 100*time.Second || gap > 120*time.Second {
			t.Errorf("%d bytes, stood still for %v, want about 109 s", len(got), gap)
		}
	})
}

func TestUnreachableRemotesAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newStreamRig(t, 2, nil)
		defer r.stop()
		near, _ := r.open(r.net.NewRemote(0, true), 80)
		time.Sleep(backendtest.SessionAge + time.Second)
		r.frontends[1].Status(3*time.Second, sam.ResultCantReachPeer)
		r.frontends[0].Kill()
		near.Write([]byte("hello?"))
		time.Sleep(streamsFor + time.Second)
		if s := r.host.Stats(); s.Stalls != (StallStats{Unreachable: 1}) || s.Stalled != 1 {
			t.Errorf("%+v", s)
		}
		_, err := near.Read(make([]byte, 1))
		if !errors.Is(err, streaming.ErrTimeout) {
			t.Errorf("the stream ends with %v", err)
		}
	})
}

// A second loss before the streams are back begins the rescue again.
func TestStreamsSurviveTwoLosses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newStreamRig(t, 3, nil)
		defer r.stop()
		remote := r.net.NewRemote(0, false)
		near, far := r.open(remote, 80)
		time.Sleep(backendtest.SessionAge + time.Second)
		time.AfterFunc(time.Second, func() {
			r.frontends[0].Kill()
			time.Sleep(helloAfter / 2)
			for i, f := range r.host.Stats().Frontends {
				if f.Stranded > 0 {
					r.frontends[i].Kill() // before its hello
				}
			}
		})
		want := seeded(1 << 20)
		if got, gap := transfer(near, far, want); !bytes.Equal(got, want) || gap > time.Second {
			t.Errorf("%d bytes of %d, stood still for %v", len(got), len(want), gap)
		}
		if s := r.host.Stats(); s.Stalls.Resumed != 1 || s.Lost != 1 {
			t.Errorf("%+v", s)
		}
	})
}

// The first that goes through a survivor must be the hello, however much there
// is to send.
func TestNothingGoesBeforeTheHello(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newStreamRig(t, 2, nil)
		defer r.stop()
		near, _ := r.open(r.net.NewRemote(0, true), 80) // unpublished, so that it never answers
		type sent struct {
			after time.Duration
			ping  bool
		}
		var lostAt time.Time
		first := make(chan sent, 3)
		r.frontends[1].OnSend(func(p sam.Packet) {
			var packet streaming.Packet
			packet.Parse(p.Data)
			select {
			case first <- sent{time.Since(lostAt), packet.Flags&streaming.FlagEcho != 0}:
			default:
			}
		})
		go near.Write(seeded(1 << 20))
		time.Sleep(time.Second)
		lostAt = time.Now()
		r.frontends[0].Kill()
		for _, want := range []sent{{helloAfter, true}, {helloAfter + helloWaits[0], true}, {helloAfter + helloWaits[0], false}} {
			if got := <-first; got != want {
				t.Errorf("sent %+v, want %+v", got, want)
			}
		}
	})
}

// What is sent while the router looks a LeaseSet up begins a session each, which
// i2pd 2.58 cannot cope with.
func TestNothingGoesWhileTheHelloWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newStreamRig(t, 2, nil)
		defer r.stop()
		near, _ := r.open(r.net.NewRemote(0, true), 80)
		go near.Write(seeded(100_000))
		conn := r.listen(Raw, 1)
		to := near.(*streaming.Stream).Remote().Destination
		const lookup = 5 * time.Second
		r.frontends[1].Status(lookup, nil)
		before := r.host.Stats().Frontends[1]
		r.frontends[0].Kill()
		time.Sleep(lookup)
		if _, err := conn.WriteTo([]byte("x"), i2p.NewAddr(to, 1)); !errors.Is(err, ErrNoFrontend) {
			t.Errorf("a datagram meanwhile: %v", err)
		}
		if f := r.host.Stats().Frontends[1]; f.Out != before.Out || f.Hellos != 0 {
			t.Errorf("%+v", f)
		}
		time.Sleep(helloAfter + helloWaits[0])
		write(t, conn, i2p.NewAddr(to, 1), "x")
		if f := r.host.Stats().Frontends[1]; f.Hellos != 1 || f.Out == before.Out {
			t.Errorf("after the lookup: %+v", f)
		}
	})
}

// A router that does not find the remote's LeaseSet is not the only one.
func TestAnotherFrontendIsTriedForTheHello(t *testing.T) {
	for name, status := range map[string]error{"no LeaseSet": sam.ResultCantReachPeer, "lost": nil} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newStreamRig(t, 3, nil)
				defer r.stop()
				remote := r.net.NewRemote(0, false)
				near, far := r.open(remote, 80)
				time.Sleep(backendtest.SessionAge + time.Second)
				next := 1
				if r.host.links[2].rank(remote.Destination.Hash()) > r.host.links[1].rank(remote.Destination.Hash()) {
					next = 2
				}
				r.frontends[next].OnSend(func(sam.Packet) {})
				r.frontends[next].Status(time.Millisecond, status)
				time.AfterFunc(time.Second, r.frontends[0].Kill)
				want := seeded(1 << 20)
				got, gap := transfer(near, far, want)
				if !bytes.Equal(got, want) || gap > 10*time.Second {
					t.Errorf("%d bytes of %d, stood still for %v", len(got), len(want), gap)
				}
				if remote.Frontend() != 3-next {
					t.Error("the remote is not with the third frontend")
				}
			})
		})
	}
}

// A session that is known to be young is left alone until it is old enough:
// the only hello that i2pd 2.58 sends would be wasted.
func TestYoungSessionsGetTheirHelloInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newStreamRig(t, 2, nil)
		defer r.stop()
		time.Sleep(5 * time.Minute)
		near, far := r.open(r.net.NewRemote(0, false), 80)
		began := time.Now()
		time.Sleep(60 * time.Second)
		r.frontends[0].Kill()
		time.Sleep(60 * time.Second)
		if s := r.host.Stats(); s.Frontends[1].Out+s.Frontends[1].Hellos != 0 || s.Stranded != 1 {
			t.Errorf("%+v", s)
		}
		near.Write([]byte("word"))
		io.ReadFull(far, make([]byte, 4))
		if age := time.Since(began); age < sessionAge || age > sessionAge+time.Second {
			t.Errorf("went on after %v", age)
		}
		if s := r.host.Stats(); s.Frontends[1].Hellos != 1 {
			t.Errorf("%+v", s)
		}
	})
}
