package backend

import (
	"bytes"
	"encoding/binary"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/onelease/onelease/backend/backendtest"
	"github.com/onelease/onelease/i2p/sam"
)

// pongTo is the answer of a remote's streaming library to a hello, as i2pd
// makes it (libi2pd/Streaming.cpp, HandlePing).
func pongTo(hello sam.Packet) sam.Packet {
	b := hello.Data
	payload := b[streamHeader+int(binary.BigEndian.Uint16(b[streamOptions:])):]
	pong := make([]byte, streamHeader, streamHeader+len(payload))
	copy(pong[4:], b[:4])
	binary.BigEndian.PutUint16(pong[streamFlags:], streamEcho)
	return sam.Packet{Protocol: HelloProtocol, Data: append(pong, payload...)}
}

// losses are the ways in which a frontend goes, and how long that takes to be
// noticed at most.
var losses = []struct {
	name   string
	lose   func(*backendtest.Frontend)
	notice time.Duration
}{
	{"killed", (*backendtest.Frontend).Kill, 0},
	{"session closed", (*backendtest.Frontend).SessionDown, 0},
	{"hung", (*backendtest.Frontend).Freeze, 2500 * time.Millisecond},
}

func TestHelloGoesToTheRemotesOfALostFrontend(t *testing.T) {
	for _, loss := range losses {
		t.Run(loss.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, 3, nil)
				defer r.stop()
				conn := r.listen(Datagram, 7)
				hit, other := r.remote(), r.remote()
				r.hear(0, hit)
				r.hear(1, other)
				_, from := read(t, conn)
				loss.lose(r.frontends[0])
				time.Sleep(loss.notice + helloAfter)
				hellos := slices.Concat(r.hellosBy()...)
				if len(hellos) == 0 {
					t.Fatalf("no hello: %+v", r.host.Stats())
				}
				for _, p := range hellos {
					if p.Peer != hit.Destination {
						t.Error("a hello to a remote of another frontend")
					}
				}
				if s := r.host.Stats(); s.Stranded != 1 || s.Lost != 1 || s.Frontends[0].State == LinkUp {
					t.Errorf("%+v", s)
				}
				// Answers go the way of the hellos meanwhile.
				write(t, conn, from, "x")
				if sent := r.sentBy(); len(sent[0]) != 0 || total(sent) != 1 {
					t.Errorf("sent by %s", counts(sent))
				}
			})
		})
	}
}

func TestHelloSchedule(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 2, nil)
		defer r.stop()
		r.listen(Datagram, 7)
		r.hear(0, r.remote())
		var at []time.Duration
		var packets [][]byte
		start := time.Now()
		r.frontends[1].OnSend(func(p sam.Packet) {
			at = append(at, time.Since(start))
			packets = append(packets, bytes.Clone(p.Data))
		})
		r.frontends[0].Kill()
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		want := []time.Duration{100, 200, 600, 1100, 2100, 4100, 8100}
		for i := range want {
			want[i] *= time.Millisecond
		}
		for last := want[len(want)-1] + helloMost; last < helloFor; last += helloMost {
			want = append(want, last)
		}
		if !slices.Equal(at, want) {
			t.Errorf("hellos at %v\nwant %v", at, want)
		}
		for _, p := range packets[1:] {
			if !bytes.Equal(p, packets[0]) {
				t.Error("the hellos differ: a late answer would not be known")
			}
		}
		if s := r.host.Stats(); s.Stalled != 1 || s.Stranded != 0 || s.Moved != 0 || s.Frontends[1].Hellos != uint64(len(want)) {
			t.Errorf("%+v", s)
		}
	})
}

func TestHellosEndWhenTheRemoteIsHeard(t *testing.T) {
	for name, heard := range map[string]func(*rig, *backendtest.Remote, sam.Packet){
		"datagram":                    func(r *rig, remote *backendtest.Remote, _ sam.Packet) { r.hear(1, remote) },
		"pong":                        func(r *rig, _ *backendtest.Remote, hello sam.Packet) { r.frontends[1].Deliver(pongTo(hello)) },
		"through a third frontend":    func(r *rig, remote *backendtest.Remote, _ sam.Packet) { r.hear(2, remote) },
		"pong through another":        func(r *rig, _ *backendtest.Remote, hello sam.Packet) { r.frontends[2].Deliver(pongTo(hello)) },
		"the lost one is back sooner": func(r *rig, remote *backendtest.Remote, _ sam.Packet) { r.hear(0, remote) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, 3, nil)
				defer r.stop()
				r.listen(Datagram, 7)
				remote := r.remote()
				r.hear(0, remote)
				r.frontends[0].Kill()
				if early := r.hellosBy(); total(early) != 0 {
					t.Errorf("%s hellos before the survivors had time for a newer LeaseSet", counts(early))
				}
				time.Sleep(helloAfter)
				hellos := slices.Concat(r.hellosBy()...)
				if len(hellos) != 1 {
					t.Fatalf("%d hellos at first, want 1", len(hellos))
				}
				r.frontends[0].Up()
				time.Sleep(450 * time.Millisecond)
				r.hellosBy()
				heard(r, remote, hellos[0])
				time.Sleep(5 * time.Minute)
				if late := r.hellosBy(); total(late) != 0 {
					t.Errorf("%s hellos after it was heard", counts(late))
				}
				want := uint64(1)
				if name == "the lost one is back sooner" {
					want = 0
				}
				if s := r.host.Stats(); s.Stranded != 0 || s.Moved != want || s.Stalled != 0 || s.Lost != 1 {
					t.Errorf("%+v", s)
				}
			})
		})
	}
}

func TestForeignPongsMeanNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 2, nil)
		defer r.stop()
		r.listen(Datagram, 7)
		r.hear(0, r.remote())
		r.frontends[0].Kill()
		time.Sleep(helloAfter)
		pong := pongTo(slices.Concat(r.hellosBy()...)[0])
		pong.Data[len(pong.Data)-1]++
		r.frontends[1].Deliver(pong)
		r.frontends[1].Deliver(sam.Packet{Protocol: HelloProtocol, Data: pong.Data[:10]})
		synctest.Wait()
		if s := r.host.Stats(); s.Stranded != 1 {
			t.Errorf("a forged pong ended the hellos: %+v", s)
		}
	})
}

func TestManyStrandedMakeNoStorm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const remotes, rate = 300, 50
		r := newRig(t, 3, nil)
		defer r.stop()
		r.listen(Datagram, 7)
		for range remotes {
			r.hear(0, r.remote())
		}
		r.frontends[0].Kill()
		time.Sleep(helloAfter)
		said := map[string]bool{}
		for second := range 5 {
			for f, hellos := range r.hellosBy() {
				most := rate
				if second == 0 {
					most = helloBurst
				}
				if len(hellos) > most || (f > 0 && len(hellos) < most-2) {
					t.Errorf("second %d: %d hellos by frontend %d, want %d", second, len(hellos), f, most)
				}
				for _, p := range hellos {
					said[p.Peer.Base32()] = true
				}
			}
			time.Sleep(time.Second)
		}
		// First ones go before second ones: 2 frontends, 50 a second.
		if len(said) != remotes {
			t.Errorf("%d of %d remotes have got a hello after 4 s", len(said), remotes)
		}
		// No remote waits for one that is lost too.
		r.frontends[1].Kill()
		r.hellosBy()
		time.Sleep(20 * time.Second)
		s := r.host.Stats()
		if s.Frontends[2].Stranded != remotes || s.Lost != remotes {
			t.Errorf("after a second loss: %+v", s)
		}
	})
}

func TestStrandedWaitForAFrontend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 2, nil)
		defer r.stop()
		r.listen(Datagram, 7)
		remote := r.remote()
		r.hear(0, remote)
		r.frontends[1].Kill()
		r.frontends[0].Kill()
		time.Sleep(20 * time.Second)
		if n := total(r.hellosBy()); n != 0 {
			t.Fatalf("%d hellos without a frontend", n)
		}
		r.frontends[1].Up()
		time.Sleep(retryMost * 3 / 2)
		if hellos := r.hellosBy(); len(hellos[1]) == 0 || hellos[1][0].Peer != remote.Destination {
			t.Errorf("hellos by %s: %+v", counts(hellos), r.host.Stats())
		}
	})
}

func TestOnlyThoseHeardLatelyAreStranded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 2, nil)
		defer r.stop()
		conn := r.listen(Datagram, 7)
		silent := r.remote()
		r.hear(0, silent)
		_, from := read(t, conn)
		time.Sleep(6 * time.Minute)
		r.frontends[0].Kill()
		time.Sleep(time.Minute)
		if n := total(r.hellosBy()); n != 0 {
			t.Errorf("%d hellos to a remote that was silent for 6 minutes", n)
		}
		write(t, conn, from, "x") // but it can be written to
		if sent := r.sentBy(); len(sent[1]) != 1 {
			t.Errorf("sent by %s", counts(sent))
		}
	})
}

// A remote may be heard just while a hello to it goes out.
func TestAHelloThatCrossesTheRemotesPacketIsTheLast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 2, nil)
		defer r.stop()
		r.listen(Datagram, 7)
		remote := r.remote()
		r.hear(0, remote)
		r.frontends[0].Kill()
		synctest.Wait()
		time.Sleep(helloAfter + 50*time.Millisecond) // the second is due in 50 ms more
		turn, _ := r.host.nextTurn(time.Now().Add(time.Second))
		if turn == nil {
			t.Fatal("no hello is due")
		}
		r.hear(1, remote)
		r.host.take(turn)
		r.hellosBy()
		time.Sleep(5 * time.Minute)
		if n := total(r.hellosBy()); n != 0 || len(r.host.rescues.queue) != 0 {
			t.Errorf("%d hellos after the remote was heard", n)
		}
	})
}
