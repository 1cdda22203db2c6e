package sam

import (
	"bytes"
	"io"
	"runtime"
	"testing"
	"testing/synctest"
	"time"
)

func TestCloseSessions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newFakeHost(t)
		s := newTestServer(t, h)
		a, b := attachTalker(t, dial(s), "a", ""), attachTalker(t, dial(s), "b", "")
		h.down.Store(true)
		s.CloseSessions("the router died")
		for _, k := range []*talker{a, b} {
			k.expect(`SESSION STATUS RESULT=I2P_ERROR MESSAGE="the router died"`)
		}
		a.expectEnd() // though it does not close
		k := newTalker(t, dial(s))
		k.say("HELLO VERSION\n")
		k.expect("HELLO REPLY RESULT=OK*")
		k.say("SESSION CREATE STYLE=RAW ID=a DESTINATION=TRANSIENT\n")
		k.expect("SESSION STATUS RESULT=I2P_ERROR MESSAGE=\"the router is down*")
		k.say("NAMING LOOKUP NAME=ME\n")
		k.expect("NAMING REPLY RESULT=I2P_ERROR NAME=ME MESSAGE=*")
		h.down.Store(false)
		k.say("SESSION CREATE STYLE=RAW ID=a DESTINATION=TRANSIENT\n")
		k.expect("SESSION STATUS RESULT=OK*")
	})
}

func TestTimeouts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newTestServer(t, newFakeHost(t))
		silent := newTalker(t, dial(s))
		short := newTalker(t, dial(s))
		short.say("HELLO VERSION\n")
		short.expect("HELLO REPLY RESULT=OK*")
		idle := attachTalker(t, dial(s), "idle", "")
		time.Sleep(time.Minute)
		silent.expect("HELLO REPLY RESULT=I2P_ERROR MESSAGE=\"no command in 1m0s\"")
		short.expect("SESSION STATUS RESULT=I2P_ERROR MESSAGE=\"no command in 1m0s\"")
		silent.expectEnd()
		short.expectEnd()
		time.Sleep(time.Hour)
		idle.say("PING\n")
		idle.expect("PONG")
	})
}

func TestTooManyConns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewServer(ServerConfig{Host: newFakeHost(t), MaxConns: 1})
		defer s.Close()
		first := attachTalker(t, dial(s), "a", "")
		second := newTalker(t, dial(s))
		second.expect("HELLO REPLY RESULT=I2P_ERROR MESSAGE=\"all 1 connections*")
		first.nc.Close()
		synctest.Wait()
		attachTalker(t, dial(s), "b", "")
	})
}

func TestShutdown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newTestServer(t, newFakeHost(t))
		k := attachTalker(t, dial(s), "a", "")
		go s.Close()
		k.expect("SESSION STATUS RESULT=I2P_ERROR MESSAGE=\"the server is shutting down*")
		k.expectEnd()
		late := newTalker(t, dial(s))
		late.expect("HELLO REPLY RESULT=I2P_ERROR MESSAGE=\"the server is shutting down*")
	})
}

// Lookups do not hold up the connection, are bounded, and end with it.
func TestLookupsUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newFakeHost(t)
		h.asked = make(chan struct{})
		s := newTestServer(t, h)
		k := attachTalker(t, dial(s), "a", "SEND_STATUS=true")
		for range maxLookups {
			k.say("NAMING LOOKUP NAME=peer.i2p\n")
		}
		k.say("NAMING LOOKUP NAME=peer.i2p\n")
		k.expect("NAMING REPLY RESULT=I2P_ERROR NAME=peer.i2p MESSAGE=\"32 lookups*")
		k.say("RAW SEND SIZE=1 ID=3 DESTINATION=peer.i2p\nx")
		k.expect("RAW STATUS ID=3 RESULT=I2P_ERROR MESSAGE=\"32 lookups*")
		h.asked <- struct{}{}
		k.expect("NAMING REPLY RESULT=OK NAME=peer.i2p VALUE=*")
		time.Sleep(lookupTime)
		k.expect("NAMING REPLY RESULT=TIMEOUT NAME=peer.i2p*")
		k.nc.Close()
	})
}

// A line of 10 MB is refused with a message, and costs no memory.
func TestLongLine(t *testing.T) {
	s := newTestServer(t, newFakeHost(t))
	k := newTalker(t, dial(s))
	k.say("HELLO VERSION\n")
	k.expect("HELLO REPLY RESULT=OK*")
	chunk := bytes.Repeat([]byte{'x'}, 1<<20)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	said := make(chan error, 1)
	go func() {
		for range 10 {
			if _, err := k.nc.Write(chunk); err != nil {
				said <- err
				return
			}
		}
		said <- nil
	}()
	k.expect("SESSION STATUS RESULT=I2P_ERROR MESSAGE=\"no newline in 8192 bytes: line too long\"")
	if err := <-said; err != nil {
		t.Error("was not read to its end:", err)
	}
	runtime.ReadMemStats(&after)
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 256<<10 {
		t.Errorf("allocated %d bytes", grown)
	}
}

// Whatever a client sends, the server answers or closes, and stays.
func FuzzServer(f *testing.F) {
	h := newFakeHost(f)
	hello := "HELLO VERSION\nSESSION CREATE STYLE=RAW ID=a DESTINATION=TRANSIENT SEND_STATUS\n"
	f.Add([]byte(hello + rawSend(Packet{Peer: h.peer, ID: 1, Data: []byte("data")})))
	f.Add([]byte(hello + "NAMING LOOKUP NAME=peer.i2p\nRAW SEND SIZE=2 DESTINATION=peer.i2p\nxxDEST GENERATE\nPING\nQUIT\n"))
	for _, script := range dialogues {
		f.Add([]byte(script))
	}
	f.Fuzz(func(t *testing.T, input []byte) {
		h.sent = make(chan Packet, len(input))
		s := newTestServer(t, h)
		nc := dial(s)
		go func() {
			nc.Write(input)
			s.Deliver(Packet{Protocol: 18, Data: []byte("x")})
			nc.Close()
		}()
		io.Copy(io.Discard, nc)
		s.Close()
		if left := s.Sessions(); len(left) != 0 {
			t.Errorf("sessions %+v", left)
		}
	})
}
