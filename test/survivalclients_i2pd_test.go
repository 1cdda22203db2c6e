package test

import (
	"sync"
	"testing"
	"time"

	"github.com/onelease/onelease/test/i2pd"
	"github.com/onelease/onelease/test/i2pd/samclient"
	"github.com/onelease/onelease/test/streamservice"
)

// clientsEach is how many clients live on each of the remotes' routers.
const clientsEach = 2

// addAllClients opens the clients of all and has each begin its session, with a
// stream that stays open.
func addAllClients(t *testing.T, all []*survival) {
	t.Helper()
	var opening sync.WaitGroup
	for _, s := range all {
		n := clientsEach * len(remoteRouters)
		s.clients, s.echoes = make([]*samclient.Streams, n), make([]*streamservice.Echo, n)
		for i := range n {
			opening.Go(func() { s.addClient(i) })
			time.Sleep(startEvery) // see there
		}
	}
	opening.Wait()
	if t.Failed() {
		t.FailNow()
	}
}

func (s *survival) addClient(i int) {
	router := s.net.Router(remoteRouters[i%len(remoteRouters)])
	var err error
	if s.clients[i], err = tryStreams(s.t, router, i2pd.StreamOptions{Unpublished: s.loss.unpublished && i%2 == 0}); err != nil {
		s.t.Error(err)
		return
	}
	for began := time.Now(); time.Since(began) < 2*time.Minute; {
		if s.echoes[i], err = s.tryEcho(s.clients[i]); err == nil {
			return
		}
	}
	s.t.Errorf("client %d of %q was never served: %v", i, s.loss.name, err)
}

// tryEcho opens a stream and says hello.
func (s *survival) tryEcho(client *samclient.Streams) (*streamservice.Echo, error) {
	conn, err := client.Dial(s.t.Context(), s.host.dest)
	if err != nil {
		return nil, err
	}
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	echo, err := streamservice.NewEcho(conn)
	if err == nil {
		_, err = echo.Ask("hello")
	}
	if err != nil {
		conn.Close()
		return nil, err
	}
	s.t.Cleanup(func() { conn.Close() })
	return echo, conn.SetDeadline(time.Time{})
}

// keepAllTalking has those talk on whose turn is yet to come, until what it
// returns is called: after 90 s of silence their routers would begin sessions
// anew, too young to be taken over when their member is lost.
func keepAllTalking(all []*survival) (stop func()) {
	var talking sync.WaitGroup
	done := make(chan struct{})
	for _, s := range all {
		talking.Go(func() {
			for {
				select {
				case <-done:
					return
				case <-time.After(time.Second):
					s.keepTalking()
				}
			}
		})
	}
	return func() {
		close(done)
		talking.Wait()
	}
}

// keepTalking uses each stream once, within a second or so.
func (s *survival) keepTalking() {
	for i, echo := range s.echoes {
		if took, err := echo.AskUntil("still there?", time.Now().Add(time.Minute)); err != nil || took > streamservice.StallTime {
			s.t.Logf("client %d of %q, nothing lost: echo after %v: %v", i, s.loss.name, took, err)
		}
		time.Sleep(50 * time.Millisecond)
	}
}
