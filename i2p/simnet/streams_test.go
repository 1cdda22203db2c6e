package simnet_test

import (
	"fmt"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/onelease/onelease/i2p/simnet"
	"github.com/onelease/onelease/i2p/streaming"
)

// A streamCase is a stream of a stock client whose member dies, and when it
// goes on.
type streamCase struct {
	name        string
	profile     simnet.Profile
	unpublished bool
	upload      bool
	rotate      bool
	rotateAfter time.Duration // from the kill
	after       time.Duration // from the begin of the stream to the kill
	least, most time.Duration
	seen        string // with stock routers
}

// tooYoung is when a session cannot be taken over for 75 s.
const tooYoung = 45 * time.Second

var streamCases = []streamCase{
	{name: "published, old", profile: simnet.I2PD245, after: old, most: 2 * time.Second, seen: "0.09-1.6 s"},
	{name: "published, old", profile: simnet.I2PD258, after: old, most: 2 * time.Second, seen: "0.09-1.6 s"},
	{name: "upload, published, old", profile: simnet.I2PD245, upload: true, after: old, most: 2 * time.Second, seen: "0.09-1.6 s"},
	{name: "upload, published, old", profile: simnet.I2PD258, upload: true, after: old, most: 2 * time.Second, seen: "0.09-1.6 s"},
	{name: "published, young", profile: simnet.I2PD245, after: tooYoung,
		least: 74 * time.Second, most: 90 * time.Second, seen: "when 120 s old"},
	// The survivor's i2pd 2.58 drops all hellos after the first until its path ends.
	{name: "published, young", profile: simnet.I2PD258, after: tooYoung,
		least: 74 * time.Second, most: 130 * time.Second, seen: "when 120 s old"},
	{name: "upload, published, young", profile: simnet.I2PD245, upload: true, after: tooYoung,
		least: 74 * time.Second, most: 95 * time.Second, seen: "some not"},
	// i2pd 2.58 gives up after 82 s, before the session is old enough.
	{name: "upload, published, too young", profile: simnet.I2PD258, upload: true, after: 20 * time.Second,
		least: never, most: never, seen: "some not"},
	{name: "unpublished, old", profile: simnet.I2PD245, unpublished: true, after: old, least: never, most: never, seen: "lost"},
	{name: "unpublished, old", profile: simnet.I2PD258, unpublished: true, after: old, least: never, most: never, seen: "lost"},
	{name: "rotation at once, old", profile: simnet.I2PD245, rotate: true, after: old, least: never, most: never, seen: "none of 17"},
	{name: "rotation at once, old", profile: simnet.I2PD258, rotate: true, after: old, least: never, most: never, seen: "none of 17"},
	{name: "rotation 2 s later, old", profile: simnet.I2PD245, rotateAfter: 2 * time.Second, after: old,
		most: 2 * time.Second, seen: "resume"},
	{name: "rotation 2 s later, young", profile: simnet.I2PD245, rotateAfter: 2 * time.Second, after: tooYoung,
		least: never, most: never, seen: "lost"},
}

// TestStreamSurvives has a stream's member die and measures until data comes
// again: simnet must not be kinder than stock routers were seen to be.
func TestStreamSurvives(t *testing.T) {
	for _, c := range streamCases {
		t.Run(c.name+", "+c.profile.Name, func(t *testing.T) { synctest.Test(t, c.test) })
	}
}

func (c streamCase) test(t *testing.T) {
	n := simnet.New(simnet.Config{Seed: 3, Link: simnet.Link{Latency: 3 * time.Millisecond, Jitter: 2 * time.Millisecond}})
	s := newStreamService(t, n, c.profile)
	remote := n.NewRemote(simnet.RemoteConfig{Profile: c.profile, Published: !c.unpublished, Streams: true})
	end := time.Now().Add(time.Minute + c.after + 3*time.Minute)
	go s.refresh(end)
	x := &transfer{}
	ln, err := s.stack.Listen(testPort)
	if err != nil {
		t.Fatal(err)
	}
	go s.accept(ln, c.upload, x, end)
	time.Sleep(time.Minute)
	conn := dialStream(t, remote, s.keys.Destination)
	if c.upload {
		go x.send(conn, end)
	} else {
		go x.receive(conn)
	}
	time.Sleep(c.after)
	killed := time.Now()
	if c.rotateAfter > 0 {
		time.AfterFunc(c.rotateAfter, func() { s.push(true) })
	}
	s.killServing(remote.Destination().Hash(), c.rotate, end)
	time.Sleep(10 * time.Second)
	c.check(t, x, killed, end)
	t.Log(lossTable(n.Stats()))
	s.stack.Close()
	n.Close()
}

// accept has the service take one stream, and close it at the end of the other side.
func (s *streamService) accept(ln net.Listener, upload bool, x *transfer, end time.Time) {
	conn, err := ln.Accept()
	switch {
	case err != nil:
		s.t.Error(err)
	case upload:
		x.receive(conn)
		conn.Close()
	default:
		x.send(conn, end)
	}
}

func (c streamCase) check(t *testing.T, x *transfer, killed, end time.Time) {
	t.Helper()
	first := x.resumed(killed, end)
	back := fmt.Sprintf("went on after %.1f s", first.Seconds())
	if first == never {
		back = "did not go on"
	}
	t.Logf("%-28s %-12s %s (seen: %s)", c.name, c.profile.Name, back, c.seen)
	if first < c.least || first > c.most {
		t.Errorf("want %v to %v", c.least, c.most)
	}
	if x.wrong {
		t.Error("wrong bytes came")
	}
}

// TestStreamsEndWithRouter: a client's streams die with its router, and when it
// is back there are none.
func TestStreamsEndWithRouter(t *testing.T) {
	inNetwork(t, simnet.I2PD258, func(t *testing.T, n *simnet.Network, _ *simnet.Router) {
		server := n.NewRemote(simnet.RemoteConfig{Published: true, Streams: true})
		client := n.NewRemote(simnet.RemoteConfig{Published: true, Streams: true})
		time.Sleep(30 * time.Second)
		ln, err := server.Stack().Listen(testPort)
		if err != nil {
			t.Fatal(err)
		}
		x := &transfer{}
		go func() {
			if conn, err := ln.Accept(); err == nil {
				x.send(conn, time.Now().Add(time.Hour))
			}
		}()
		conn := dialStream(t, client, server.Destination())
		go x.receive(conn)
		time.Sleep(10 * time.Second)
		before := client.Stack()
		client.Router().Kill()
		time.Sleep(time.Second)
		x.mu.Lock()
		if len(x.came) == 0 || x.err == nil {
			t.Errorf("%d messages came, then %v: want some, and an end with the router", len(x.came), x.err)
		}
		x.mu.Unlock()
		n.AgeSessions(simnet.TakeoverAge) // so that the server takes another
		client.Router().Restart()
		time.Sleep(30 * time.Second)
		after := client.Stack()
		if after == before || after == nil {
			t.Fatal("the restarted client has no streams of its own")
		}
		if _, err := after.Dial(t.Context(), streaming.NewRemote(server.Destination()), 0, testPort); err != nil {
			t.Errorf("dial after the restart: %v", err)
		}
		n.Close()
		time.Sleep(time.Second) // until the sender has noticed
	})
}
