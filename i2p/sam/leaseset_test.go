package sam

import (
	"testing"
	"testing/synctest"
)

// Who asked is told the date of each LeaseSet, and of the present one at its begin.
func TestPublished(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newTestServer(t, newFakeHost(t))
		asked := attachTalker(t, dial(s), "asked", "SEND_LEASESETS=true")
		deaf := attachTalker(t, dial(s), "deaf", "")
		s.SetPublished(7)
		asked.expect("SESSION LEASESET PUBLISHED=7")
		s.SetPublished(7) // is not said again
		late := attachTalker(t, dial(s), "late", "SEND_LEASESETS=true")
		late.expect("SESSION LEASESET PUBLISHED=7")
		s.SetPublished(4294967295)
		for _, k := range []*talker{asked, late} {
			k.expect("SESSION LEASESET PUBLISHED=4294967295")
		}
		for _, k := range []*talker{asked, deaf, late} {
			k.say("PING\n")
			k.expect("PONG") // and nothing before it
		}
	})
}

func TestClientPublished(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newTestServer(t, newFakeHost(t))
		s.SetPublished(7)
		told := make(chan uint32, 2)
		c := connect(t, s, ClientConfig{OnLeaseSet: func(published uint32) { told <- published }})
		plain := connect(t, s, ClientConfig{})
		s.SetPublished(9)
		if first, second := <-told, <-told; first != 7 || second != 9 {
			t.Errorf("told %d and %d", first, second)
		}
		if c.Err() != nil || plain.Err() != nil {
			t.Errorf("%v, %v", c.Err(), plain.Err())
		}
	})
}
