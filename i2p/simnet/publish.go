package simnet

import (
	"bytes"
	"time"

	"github.com/onelease/onelease/i2p"
)

// A publisher brings a destination's LeaseSet into the netDB as its router's
// profile says. Its zero value has published nothing.
type publisher struct {
	last     time.Time // a store was sent
	delay    *event    // a publishing that waits
	confirm  *event    // runs while a floodfill has not confirmed
	verify   *event
	excluded map[*Floodfill]bool
	failNext bool
}

// publishLocked is called for every LeaseSet that the client installs, the same
// one again included: an answer to a request for leases counts like any other
// (i2pd Destination.cpp, SetLeaseSet). A publishing that waits is not called
// off for that; see tooSoonLocked.
func (d *destination) publishLocked() {
	if !d.public {
		return
	}
	d.net.cancelLocked(d.publisher.verify)
	d.publisher.verify = nil
	if first := d.profile().Publish.First; first > 0 {
		d.publishAfterLocked(first)
		return
	}
	d.publishNowLocked()
}

func (d *destination) publishAfterLocked(delay time.Duration) {
	d.net.cancelLocked(d.publisher.delay)
	d.publisher.delay = d.afterLocked(delay, func() {
		d.publisher.delay = nil
		d.publishNowLocked()
	})
}

// publishNowLocked sends the LeaseSet to a floodfill unless the last was too
// recent. While one is being confirmed a newer is not even noted: it is the
// verification that finds the difference (i2pd Destination.cpp, Publish).
func (d *destination) publishNowLocked() {
	p, rules := &d.publisher, &d.profile().Publish
	if d.leaseSet == nil || !d.public || p.confirm != nil {
		return
	}
	if wait := d.tooSoonLocked(); wait > 0 {
		d.publishAfterLocked(wait)
		return
	}
	if p.failNext || len(d.tunnels) == 0 {
		p.failNext = false
		if rules.RetryUnready {
			p.excluded = nil
			d.awaitConfirmLocked()
		}
		return
	}
	d.storeLocked(d.floodfillToPublishLocked())
}

// tooSoonLocked returns how long a publishing has to wait. i2pd counts whole
// seconds since the last store, and has one that is too soon wait for all of
// the interval. A timer that runs goes on when one that is not too soon goes
// out meanwhile, and publishes the same again: that is a store as well, and
// makes what comes within the interval after it wait.
func (d *destination) tooSoonLocked() time.Duration {
	rules, last := &d.profile().Publish, d.publisher.last
	if !rules.WholeInterval {
		return time.Until(last.Add(rules.MinInterval))
	}
	if time.Now().Unix() < last.Unix()+int64(rules.MinInterval/second) {
		return rules.MinInterval
	}
	return 0
}

// floodfillToPublishLocked is the closest one that did not fail to confirm;
// nil if all did, after which they are tried again.
func (d *destination) floodfillToPublishLocked() *Floodfill {
	for _, f := range d.net.closestLocked(d.hash) {
		if !d.publisher.excluded[f] {
			return f
		}
	}
	d.publisher.excluded = nil
	return nil
}

func (d *destination) storeLocked(f *Floodfill) {
	if f == nil {
		return
	}
	p := &d.publisher
	if p.excluded == nil {
		p.excluded = map[*Floodfill]bool{}
	}
	p.excluded[f] = true
	p.last = time.Now()
	token := d.awaitConfirmLocked()
	link := d.net.cfg.Link
	if link.loses(d.rng) {
		return
	}
	raw := d.leaseSet
	d.net.afterLocked(nil, link.delay(d.rng), func() { d.storedLocked(f, raw, token) })
}

// awaitConfirmLocked publishes again unless the event that it returns is taken
// away in time.
func (d *destination) awaitConfirmLocked() *event {
	d.publisher.confirm = d.afterLocked(d.profile().Publish.Confirm, func() {
		d.publisher.confirm = nil
		d.publishAgainLocked()
	})
	return d.publisher.confirm
}

// publishAgainLocked publishes what was not confirmed or not verified.
func (d *destination) publishAgainLocked() {
	if d.profile().Publish.Resends {
		d.publisher.last = time.Time{}
	}
	d.publishNowLocked()
}

// storedLocked is the floodfill's side, and the way of its confirmation back.
// A floodfill confirms also what it does not take.
func (d *destination) storedLocked(f *Floodfill, raw []byte, token *event) {
	if f.down {
		return
	}
	hash, err := f.storeLocked(raw)
	if err != nil {
		d.net.countLocked(d.router, func(s *Stats) { s.Refused++ })
		d.observeLocked(EventRefused, raw, err.Error())
	} else {
		d.net.countLocked(d.router, func(s *Stats) { s.Publishes++ })
		d.net.observeLocked(Event{Kind: EventPublished, Router: d.router.cfg.Name, Destination: hash, LeaseSet: raw})
	}
	d.afterLocked(d.net.cfg.Link.delay(d.rng), func() { d.confirmedLocked(token) })
}

// confirmedLocked takes a confirmation; one of an earlier store is too late.
func (d *destination) confirmedLocked(token *event) {
	p, rules := &d.publisher, &d.profile().Publish
	if p.confirm != token {
		return
	}
	d.net.cancelLocked(p.confirm)
	p.confirm = nil
	p.excluded = nil
	d.verifyAfterLocked(rules.Verify + between(d.rng, rules.VerifyJitter))
}

func (d *destination) verifyAfterLocked(delay time.Duration) {
	d.net.cancelLocked(d.publisher.verify)
	d.publisher.verify = d.afterLocked(delay, func() {
		wanted := d.leaseSet
		d.lookupLocked(d.hash, func(raw []byte) { d.verifiedLocked(wanted, raw) })
	})
}

// verifiedLocked publishes again if the netDB has something else.
func (d *destination) verifiedLocked(wanted, raw []byte) {
	rules := &d.profile().Publish
	same := bytes.Equal(wanted, raw)
	if !rules.VerifyBytes && raw != nil {
		same = !publishedOf(raw).Before(publishedOf(wanted))
	}
	switch {
	case !same:
		d.publishAgainLocked()
	case rules.VerifyAgain > 0:
		d.verifyAfterLocked(rules.VerifyAgain)
	}
}

// publishedOf is zero if raw is no LeaseSet.
func publishedOf(raw []byte) time.Time {
	ls, _, err := i2p.ParseLeaseSet2(raw)
	if err != nil {
		return time.Time{}
	}
	return ls.Published
}
