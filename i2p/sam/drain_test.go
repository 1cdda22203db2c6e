package sam

import (
	"testing"
	"testing/synctest"
)

// Who asked is told of a drain at its begin and end, and at its own begin.
func TestDrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newTestServer(t, newFakeHost(t))
		asked := attachTalker(t, dial(s), "asked", "SEND_DRAIN=true")
		deaf := attachTalker(t, dial(s), "deaf", "")
		s.SetDraining(true)
		asked.expect("SESSION DRAIN ACTIVE=true")
		s.SetDraining(true) // is not said again
		late := attachTalker(t, dial(s), "late", "SEND_DRAIN=true")
		late.expect("SESSION DRAIN ACTIVE=true")
		s.SetDraining(false)
		for _, k := range []*talker{asked, late} {
			k.expect("SESSION DRAIN ACTIVE=false")
		}
		after := attachTalker(t, dial(s), "after", "SEND_DRAIN=true")
		for _, k := range []*talker{asked, deaf, late, after} {
			k.say("PING\n")
			k.expect("PONG") // and nothing before it
		}
	})
}

// A backend that was too slow for the word is told when it shows itself.
func TestDrainOfSlowBackend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewServer(ServerConfig{Host: newFakeHost(t), QueueLimit: 4096})
		defer s.Close()
		k := attachTalker(t, dial(s), "a", "SEND_DRAIN=true LISTEN_PROTOCOL=0")
		queue := s.sessions["a"].conn.w
		pong := func(b []byte) []byte { return append(b, "PONG\n"...) }
		queue.Append(pong)
		synctest.Wait() // the first is being written
		n := 1
		for queue.Append(pong) == nil {
			n++
		}
		s.SetDraining(true)
		for range n {
			k.expect("PONG")
		}
		k.say("PING\n")
		k.expect("PONG")
		k.expect("SESSION DRAIN ACTIVE=true")
	})
}

// Who asks is told that the router is a refuge; others might not understand it.
func TestRefuge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, refuge := range []bool{false, true} {
			s := newTestServer(t, newFakeHost(t))
			s.cfg.Refuge = refuge
			if c := connect(t, s, ClientConfig{OnDrain: func(bool) {}}); c.Refuge() != refuge {
				t.Errorf("the client has refuge %v, want %v", c.Refuge(), refuge)
			}
			if c := connect(t, s, ClientConfig{}); c.Refuge() {
				t.Error("a client was told that did not ask")
			}
		}
	})
}

func TestClientDrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newTestServer(t, newFakeHost(t))
		s.SetDraining(true)
		told := make(chan bool, 2)
		c := connect(t, s, ClientConfig{OnDrain: func(draining bool) { told <- draining }})
		plain := connect(t, s, ClientConfig{})
		if !<-told {
			t.Error("not told at the start")
		}
		s.SetDraining(false)
		if <-told {
			t.Error("not told of the end")
		}
		if c.Err() != nil || plain.Err() != nil {
			t.Errorf("%v, %v", c.Err(), plain.Err())
		}
	})
}
