package sam

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

const createA = "SESSION CREATE STYLE=RAW ID=a DESTINATION=TRANSIENT\n"

// serverWithoutRouter is one whose Host is down.
func serverWithoutRouter(t *testing.T) (*fakeHost, *Server) {
	h := newFakeHost(t)
	h.down.Store(true)
	return h, newTestServer(t, h)
}

// helloed is a client that has said HELLO.
func helloed(t *testing.T, s *Server) *talker {
	k := newTalker(t, dial(s))
	k.say("HELLO VERSION\n")
	k.expect("HELLO REPLY RESULT=OK*")
	return k
}

// A session waits for the router and begins when that is there, at once.
func TestCreateWaitsForTheHost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, s := serverWithoutRouter(t)
		k := helloed(t, s)
		k.say(createA)
		time.Sleep(createPatience - time.Second)
		k.say("PING still here\n")
		k.expect("PONG still here")
		k.say(createA)
		k.expect("SESSION STATUS RESULT=I2P_ERROR MESSAGE=\"this connection has a session*")
		up := time.Now()
		h.down.Store(false)
		s.HostUp()
		k.expect("SESSION STATUS RESULT=OK*")
		if waited := time.Since(up); waited != 0 {
			t.Errorf("%v after the router was up", waited)
		}
		time.Sleep(time.Hour)
		k.say("PING and hears on\n")
		k.expect("PONG and hears on")
	})
}

// One whose router does not come is told after a while, may try again, and what a backend's
// name takes may have come meanwhile.
func TestCreateWaitsInVain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, s := serverWithoutRouter(t)
		k := helloed(t, s)
		const create = "SESSION CREATE STYLE=RAW ID=a DESTINATION=TRANSIENT BACKEND=web\n"
		asked := time.Now()
		k.say(create)
		k.expect("SESSION STATUS RESULT=I2P_ERROR MESSAGE=\"the router is down*")
		if waited := time.Since(asked); waited != createPatience {
			t.Errorf("told after %v", waited)
		}
		k.say(create)
		time.Sleep(time.Second)
		if err := s.SetIDKey(make([]byte, 32)); err != nil {
			t.Fatal(err)
		}
		h.down.Store(false)
		s.HostUp()
		if answer := k.expect("SESSION STATUS RESULT=OK*"); !strings.Contains(answer, " ID_KEY=") {
			t.Errorf("%q is not for a backend with a name", answer)
		}
	})
}

// Who leaves meanwhile has no session afterwards, nor does the end of the server wait.
func TestLeavesWhileItWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, s := serverWithoutRouter(t)
		gone, stays := helloed(t, s), helloed(t, s)
		gone.say(createA)
		stays.say(createA)
		gone.nc.Close()
		synctest.Wait()
		if n := len(s.waiting.conns); n != 1 {
			t.Errorf("%d connections wait, want one", n)
		}
		ended := time.Now()
		go s.Close()
		stays.expect("SESSION STATUS RESULT=I2P_ERROR MESSAGE=\"the server is shutting down*")
		if waited := time.Since(ended); waited != 0 {
			t.Errorf("told of the end after %v", waited)
		}
		h.down.Store(false)
		s.HostUp()
		synctest.Wait()
		if n := len(s.Sessions()); n != 0 {
			t.Errorf("%d sessions of who has left", n)
		}
	})
}
