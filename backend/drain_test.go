package backend

import (
	"bytes"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/onelease/onelease/backend/backendtest"
	"github.com/onelease/onelease/i2p"
)

// chat writes a word each way now and then, and fails the test if one takes
// longer than a round trip.
func chat(t *testing.T, near, far net.Conn, last time.Duration) {
	t.Helper()
	for start := time.Now(); time.Since(start) < last; time.Sleep(100 * time.Millisecond) {
		for _, ends := range [][2]net.Conn{{near, far}, {far, near}} {
			at := time.Now()
			ends[0].Write([]byte("word"))
			b := make([]byte, 4)
			if _, err := io.ReadFull(ends[1], b); err != nil || time.Since(at) > 5*backendtest.Latency {
				t.Fatalf("after %v: %q, %v in %v", time.Since(start), b, err, time.Since(at))
			}
		}
	}
}

func TestDrainMovesStreams(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newStreamRig(t, 3, nil)
		defer r.stop()
		remote := r.net.NewRemote(0, false)
		near, far := r.open(remote, 80)
		idleNear, idleFar := r.open(remote, 81)
		chat(t, near, far, 20*time.Second)
		r.frontends[0].SetDraining(true)
		chat(t, near, far, 90*time.Second)
		if remote.Frontend() != 0 || r.host.Stats().Frontends[0].Remotes != 1 {
			t.Fatal("moved before its session could be")
		}
		if s := r.host.Stats(); !s.Frontends[0].Draining || s.Frontends[1].Hellos+s.Frontends[2].Hellos != 0 {
			t.Errorf("%+v", s)
		}
		chat(t, near, far, 20*time.Second)
		if remote.Frontend() == 0 {
			t.Fatal("not moved though its session is old")
		}
		if s := r.host.Stats(); s.Moved != 1 || s.Frontends[0].Remotes != 0 || s.Lost+s.Stalled != 0 || len(r.host.rescues.byID) != 0 {
			t.Errorf("%+v", s)
		}
		r.frontends[0].Kill()
		chat(t, near, far, 10*time.Second)
		chat(t, idleNear, idleFar, time.Second)
		if s := r.host.Stats(); s.Lost != 0 || s.Stalls != (StallStats{}) || s.Streams.Resets != 0 {
			t.Errorf("%+v", s)
		}
	})
}

// When the other one is up only after the drain began, as when one router after the other
// is drained, nobody is said hello to before their session is old all the same.
func TestDrainBeforeAnotherIsUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newStreamRig(t, 2, nil)
		defer r.stop()
		r.frontends[1].Kill()
		remote := r.net.NewRemote(0, false)
		near, far := r.open(remote, 80)
		chat(t, near, far, 20*time.Second)
		r.frontends[0].SetDraining(true)
		chat(t, near, far, time.Second)
		r.frontends[1].Up()
		chat(t, near, far, 90*time.Second)
		if s := r.host.Stats(); s.Frontends[1].State != LinkUp || s.Frontends[1].Hellos != 0 || remote.Frontend() != 0 {
			t.Errorf("before its session could be moved: %+v", s)
		}
		chat(t, near, far, 30*time.Second)
		if s := r.host.Stats(); remote.Frontend() != 1 || s.Lost+s.Stalled != 0 {
			t.Errorf("not moved though its session is old: %+v", s)
		}
	})
}

func TestDrainServesUnpublishedRemotesToTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newStreamRig(t, 2, nil)
		defer r.stop()
		near, far := r.open(r.net.NewRemote(0, true), 80)
		time.Sleep(3 * time.Minute)
		r.frontends[0].SetDraining(true)
		chat(t, near, far, 5*time.Minute)
		hellos := r.host.Stats().Frontends[1].Hellos
		if hellos < 20 || hellos > 38 { // one in 8 to 15 s
			t.Errorf("%d hellos in 5 minutes", hellos)
		}
		r.frontends[0].SetDraining(false)
		chat(t, near, far, time.Minute)
		if s := r.host.Stats(); s.Frontends[0].Draining || s.Frontends[1].Hellos != hellos || s.Frontends[0].Remotes != 1 {
			t.Errorf("after its end: %+v", s)
		}
	})
}

func TestDrainingFrontendsGetNobodyNew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 3, nil)
		defer r.stop()
		conn := r.listen(Raw, 0)
		r.frontends[1].SetDraining(true)
		synctest.Wait()
		sendAll := func() string {
			for range 30 {
				write(t, conn, i2p.NewAddr(newKeys(t).Destination, 9), "x")
			}
			time.Sleep(greetingPatience) // the bubble's clock
			sent := r.sentBy()
			if n := total(sent); n != 30 {
				t.Errorf("%d packets of 30 went out", n)
			}
			return map[bool]string{true: "by the draining one", false: "by others"}[len(sent[1]) > 0]
		}
		if got := sendAll(); got != "by others" {
			t.Errorf("unknown remotes are sent to %s", got)
		}
		r.frontends[0].Kill()
		r.frontends[2].Kill()
		synctest.Wait()
		if got := sendAll(); got != "by the draining one" {
			t.Errorf("with no other, unknown remotes are sent to %s", got)
		}
	})
}

// The loss of the draining frontend, or of the one that was to take its
// remotes, is an ordinary loss.
func TestLossesDuringADrain(t *testing.T) {
	for name, lose := range map[string]func(*streamRig){
		"the draining one": func(r *streamRig) { r.frontends[0].Kill() },
		"the other":        func(r *streamRig) { r.frontends[1].Kill(); time.Sleep(30 * time.Second); r.frontends[1].Up() },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newStreamRig(t, 2, nil)
				defer r.stop()
				remote := r.net.NewRemote(0, false)
				near, far := r.open(remote, 80)
				time.Sleep(2 * time.Minute)
				r.frontends[0].SetDraining(true)
				time.AfterFunc(time.Second, func() { lose(r) })
				want := seeded(1 << 20)
				if got, gap := transfer(near, far, want); !bytes.Equal(got, want) || gap > time.Second {
					t.Errorf("%d bytes of %d, stood still for %v", len(got), len(want), gap)
				}
				time.Sleep(time.Minute)
				if remote.Frontend() != 1 {
					t.Error("the remote is not with the other frontend")
				}
			})
		})
	}
}

// The others' LeaseSets are newer only some time after a drain was told of: a
// remote that is said hello to before keeps to the one that it has, and sends there
// by the session of the hello.
func TestDrainSaysNoHelloAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newStreamRig(t, 2, nil)
		defer r.stop()
		remote := r.net.NewRemote(0, false)
		near, far := r.open(remote, 80)
		chat(t, near, far, 3*time.Minute)
		for range 3 {
			r.frontends[0].SetDraining(true)
			chat(t, near, far, moveAfter-2*time.Second)
			r.frontends[0].SetDraining(false)
			chat(t, near, far, time.Second)
		}
		if s := r.host.Stats(); s.Frontends[1].Hellos != 0 || remote.Frontend() != 0 {
			t.Errorf("%d hellos, the remote is with frontend %d", s.Frontends[1].Hellos, remote.Frontend())
		}
	})
}

// What a moved remote has sent by the draining frontend before does not take it
// back there, but a new session there does, for the time being.
func TestStragglersDoNotTakeARemoteBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newStreamRig(t, 2, nil)
		defer r.stop()
		remote := r.net.NewRemote(0, false)
		near, far := r.open(remote, 80)
		time.Sleep(3 * time.Minute)
		r.frontends[0].SetDraining(true)
		time.Sleep(moveAfter + 3*backendtest.Latency)
		served := func() int {
			for i, f := range r.host.Stats().Frontends {
				if f.Remotes > 0 {
					return i
				}
			}
			return -1
		}
		if served() != 1 {
			t.Fatal("not moved")
		}
		say := func() {
			far.Write([]byte("word"))
			io.ReadFull(near, make([]byte, 4))
		}
		remote.Use(0)
		say()
		if served() != 1 {
			t.Error("a straggler took it back")
		}
		time.Sleep(settleTime)
		say()
		if served() != 0 {
			t.Error("it has a new session at the draining frontend, and is answered by the other")
		}
		chat(t, near, far, sessionAge+15*time.Second)
		if served() != 1 {
			t.Error("not moved again")
		}
	})
}
