package test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"sync"
	"time"

	"github.com/onelease/onelease/test/i2pd/samclient"
)

const (
	// talkSize is what a datagram carries, in bytes, talkLost after how long without an
	// answer it counts as lost.
	talkSize = 800
	talkLost = 2 * time.Second
)

// A samTalk is a program that sends datagrams to another, which returns them.
type samTalk struct {
	name string
	from *samclient.Remote
	to   string // I2P base64
	// asked and answered count datagrams.
	asked, answered int
}

// openTalks has the second program talk to the others, and the stock one to the first,
// each time by a session of its own.
func (a *samApps) openTalks(where []samPlace, returning []*samclient.Remote) {
	a.t.Helper()
	a.talks = []*samTalk{
		{name: "dialling to accepting by datagrams", to: returning[0].Destination()},
		{name: "dialling to stock by datagrams", to: returning[2].Destination()},
		{name: "stock to accepting by datagrams", to: returning[0].Destination()},
	}
	var opening sync.WaitGroup
	for i, talk := range a.talks {
		opening.Go(func() {
			from := where[1]
			if i == 2 {
				from = where[2]
			}
			talk.from = a.openDatagrams(from)
		})
	}
	opening.Wait()
	if a.t.Failed() {
		a.t.FailNow()
	}
}

// returnDatagrams sends each back to whom it is from, until the session ends.
func returnDatagrams(r *samclient.Remote) {
	for d := range r.Datagrams() {
		_ = r.Send(d.From, d.Payload) // what is not sent is not answered
	}
}

var errUnanswered = errors.New("a datagram was not answered")

// ask sends random bytes and waits until they come back.
func (s *samTalk) ask() error {
	payload := make([]byte, talkSize)
	_, _ = rand.Read(payload) // never fails
	s.asked++
	if err := s.from.Send(s.to, payload); err != nil {
		return err
	}
	late := time.NewTimer(talkLost)
	defer late.Stop()
	for {
		select {
		case d := <-s.from.Datagrams():
			if bytes.Equal(d.Payload, payload) && d.From == s.to {
				s.answered++
				return nil
			}
		case <-late.C:
			return errUnanswered
		}
	}
}

// talkAll has each ask once, and returns how many of those so far were not answered.
func (a *samApps) talkAll() (lost int) {
	var talking sync.WaitGroup
	for _, talk := range a.talks {
		talking.Go(func() { _ = talk.ask() }) // it counts itself
	}
	talking.Wait()
	for _, talk := range a.talks {
		lost += talk.asked - talk.answered
	}
	return lost
}

// checkTalks wants all to be answered again soon after the kill; lost is how many were not
// before it.
func (a *samApps) checkTalks(lost int, killed time.Time) {
	a.t.Helper()
	var again sync.WaitGroup
	for _, talk := range a.talks {
		again.Go(func() {
			asked := talk.asked
			if err := samclient.Until(a.t.Context(), time.Minute, talk.ask); err != nil {
				a.t.Errorf("%s: not answered after the kill: %v", talk.name, err)
			}
			a.t.Logf("%s: answered again %.1f s after the kill, asked %d times; %d of %d answered in all",
				talk.name, time.Since(killed).Seconds(), talk.asked-asked, talk.answered, talk.asked)
		})
	}
	again.Wait()
	asked := 0
	for _, talk := range a.talks {
		asked += talk.asked
	}
	if 10*lost > asked {
		a.t.Errorf("%d of %d datagrams were not answered before anything was lost", lost, asked)
	}
}
