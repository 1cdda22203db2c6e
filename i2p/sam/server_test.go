package sam

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestRawSend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newFakeHost(t)
		k := attachTalker(t, dial(newTestServer(t, h)), "a", "PROTOCOL=6 FROM_PORT=1 TO_PORT=2")
		for _, test := range []struct {
			line string
			want Packet
		}{
			{"DESTINATION=" + h.peer.Base64() + " SIZE=3", Packet{FromPort: 1, ToPort: 2, Protocol: 6}},
			{"SIZE=3 PROTOCOL=17 TO_PORT=65535 FROM_PORT=0 ID=9 EXPIRES=1 DESTINATION=" + h.peer.Base64(), Packet{ToPort: 65535, Protocol: 17}},
			{"SIZE=3 DESTINATION=" + h.peer.Base32(), Packet{FromPort: 1, ToPort: 2, Protocol: 6}},
			{"SIZE=3 DESTINATION=peer.i2p", Packet{FromPort: 1, ToPort: 2, Protocol: 6}},
		} {
			k.say("RAW SEND " + test.line + "\na\nb")
			test.want.Peer = h.peer
			if got := <-h.sent; string(got.Data) != "a\nb" || !samePacket(got, test.want) {
				t.Errorf("%.60s: %+v", test.line, got)
			}
		}
	})
}

func samePacket(a, b Packet) bool {
	return a.Peer == b.Peer && a.FromPort == b.FromPort && a.ToPort == b.ToPort && a.Protocol == b.Protocol && a.ID == b.ID
}

func TestSendStatus(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newFakeHost(t)
		s := newTestServer(t, h)
		k := attachTalker(t, dial(s), "a", "SEND_STATUS=true")
		for id := range uint32(3) {
			k.say(rawSend(Packet{Peer: h.peer, ID: id, Data: []byte("x")})) // ID 0 asks for nothing
		}
		first, second, third := <-h.sent, <-h.sent, <-h.sent
		if first.ID != 0 || second.ID == 0 || third.ID == second.ID {
			t.Errorf("IDs %d, %d, %d", first.ID, second.ID, third.ID)
		}
		s.Status(third.ID, ResultCantReachPeer)
		k.expect("RAW STATUS ID=2 RESULT=CANT_REACH_PEER MESSAGE=CANT_REACH_PEER")
		s.Status(third.ID, nil) // told once
		s.Status(0, nil)
		s.Status(12345, nil)
		s.Status(second.ID, nil)
		k.expect("RAW STATUS ID=1 RESULT=OK")
		h.err = errors.New("queue is full")
		k.say(rawSend(Packet{Peer: h.peer, ID: 7, Data: []byte("x")}))
		k.expect(`RAW STATUS ID=7 RESULT=I2P_ERROR MESSAGE="queue is full"`)
		k.say("RAW SEND ID=8 SIZE=1 DESTINATION=x.i2p\nx")
		k.expect("RAW STATUS ID=8 RESULT=KEY_NOT_FOUND MESSAGE=*")
		k.say("RAW SEND ID=9 SIZE=1\nx")
		k.expect("RAW STATUS ID=9 RESULT=INVALID_KEY MESSAGE=*")
		if got := s.Sessions()[0]; got.Sent != 3 || got.Refused != 3 {
			t.Errorf("%+v", got)
		}
	})
}

// A packet whose status never comes is TIMEOUT when its place is needed.
func TestStatusOverrun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newFakeHost(t)
		s := newTestServer(t, h)
		k := attachTalker(t, dial(s), "a", "SEND_STATUS=true")
		k.say(rawSend(Packet{Peer: h.peer, ID: 5, Data: []byte("x")}))
		id := (<-h.sent).ID
		s.pending.last = id + pendingSize - 1
		k.say(rawSend(Packet{Peer: h.peer, ID: 6, Data: []byte("x")}))
		k.expect("RAW STATUS ID=5 RESULT=TIMEOUT*")
		s.Status(id, nil) // too late
		s.Status((<-h.sent).ID, nil)
		k.expect("RAW STATUS ID=6 RESULT=OK")
	})
}

func TestDeliver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newTestServer(t, newFakeHost(t))
		all := attachTalker(t, dial(s), "all", "LISTEN_PROTOCOL=0")
		streams := attachTalker(t, dial(s), "streams", "PROTOCOL=6 LISTEN_PORT=80")
		taken := newTalker(t, dial(s))
		taken.say("HELLO VERSION MAX=3.1\n")
		taken.expect("HELLO*")
		taken.say("SESSION CREATE STYLE=RAW ID=all DESTINATION=TRANSIENT\n")
		taken.expect("SESSION STATUS RESULT=DUPLICATED_ID*")
		taken.say("SESSION CREATE STYLE=RAW ID=old DESTINATION=TRANSIENT\n")
		taken.expect("SESSION STATUS RESULT=OK*")
		for i, test := range []struct {
			p    Packet
			want int
		}{
			{Packet{Protocol: 6, FromPort: 1, ToPort: 80}, 2},
			{Packet{Protocol: 6, ToPort: 81}, 1},
			{Packet{Protocol: 17, ToPort: 80}, 1},
			{Packet{Protocol: 18}, 2},
		} {
			test.p.Data = []byte{'0' + byte(i)}
			if n := s.Deliver(test.p); n != test.want {
				t.Errorf("packet %d went to %d", i, n)
			}
		}
		all.expectPacket("RAW RECEIVED SIZE=1 FROM_PORT=1 TO_PORT=80 PROTOCOL=6", "0")
		all.expectPacket("RAW RECEIVED SIZE=1 FROM_PORT=0 TO_PORT=81 PROTOCOL=6", "1")
		all.expectPacket("RAW RECEIVED SIZE=1 FROM_PORT=0 TO_PORT=80 PROTOCOL=17", "2")
		all.expectPacket("RAW RECEIVED SIZE=1 FROM_PORT=0 TO_PORT=0 PROTOCOL=18", "3")
		streams.expectPacket("RAW RECEIVED SIZE=1 FROM_PORT=1 TO_PORT=80 PROTOCOL=6", "0")
		taken.expectPacket("RAW RECEIVED SIZE=1", "3")
		streams.nc.Close()
		synctest.Wait()
		if n := s.Deliver(Packet{Protocol: 6, ToPort: 80, Data: []byte("x")}); n != 1 {
			t.Errorf("after one left: %d", n)
		}
		all.nc.Close()
		synctest.Wait()
		if n := s.Deliver(Packet{Protocol: 6, Data: []byte("x")}); n != 0 || s.Stats().Unmatched != 1 {
			t.Errorf("to nobody: %d, %+v", n, s.Stats())
		}
	})
}

// A backend that reads nothing loses its own packets only, and its connection
// after the write timeout.
func TestSlowReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newTestServer(t, newFakeHost(t))
		slow := attachTalker(t, dial(s), "slow", "")
		quick := attachTalker(t, dial(s), "quick", "")
		data := strings.Repeat("x", MaxPayload)
		started := time.Now()
		for range 200 {
			s.Deliver(Packet{Protocol: 18, Data: []byte(data)})
			quick.expectPacket("RAW RECEIVED*", data)
		}
		if waited := time.Since(started); waited != 0 {
			t.Errorf("stalled for %v", waited)
		}
		for _, info := range s.Sessions() {
			if dropped := info.ID == "slow"; dropped != (info.Dropped > 0) || info.Delivered+info.Dropped != 200 {
				t.Errorf("%+v", info)
			}
		}
		time.Sleep(11 * time.Second) // the bubble's clock
		if left := s.Sessions(); len(left) != 1 || left[0].ID != "quick" {
			t.Errorf("sessions %+v", left)
		}
		slow.nc.Close()
	})
}
