package test

import (
	"sync"
	"time"
)

// killLeader kills the balancer that leads, and starts it again when another
// has signed a LeaseSet.
func (j *job) killLeader() {
	j.t.Helper()
	leader := j.balancers.Leader()
	if leader == nil {
		j.t.Error("no balancer leads")
		return
	}
	term, _ := j.balancers.Issued()
	began, name := time.Now(), leader.Name()
	leader.Kill()
	go func() {
		for next := term; next == term; next, _ = j.balancers.Issued() {
			if time.Since(began) > 20*time.Second {
				j.t.Error("no other balancer has signed a LeaseSet within 20 s")
				return
			}
			j.pause(time.Millisecond)
		}
		j.t.Logf("balancer %s was killed, the next leader signed its first LeaseSet after %v", name, time.Since(began))
		if err := j.balancers.Restart(name); err != nil {
			j.t.Error(err)
		}
	}()
}

// watchNetDB looks every 5 s whether all floodfills that have the LeaseSet find
// it good and some lease of it alive, and one has it at all. What it returns
// ends that.
func (j *job) watchNetDB() (stop func()) {
	done := make(chan struct{})
	var watching sync.WaitGroup
	looks := 0
	watching.Go(func() {
		ticker := time.NewTicker(5 * time.Second)
		defer ticker.Stop()
		for {
			select {
			case <-done:
				return
			case <-ticker.C:
			}
			looks++
			j.lookUp()
		}
	})
	return func() {
		close(done)
		watching.Wait()
		j.t.Logf("looked the Destination up %d times", looks)
	}
}

func (j *job) lookUp() {
	j.t.Helper()
	found := j.net.LookupLeaseSet(j.ctx, j.keys.Destination.Hash())
	if len(found) == 0 {
		j.t.Error("no floodfill has the LeaseSet")
	}
	for i, ls := range found {
		alive := false
		for _, l := range ls.Leases {
			alive = alive || l.End.After(time.Now())
		}
		if !ls.Valid || !alive {
			j.t.Errorf("floodfill %d has a LeaseSet without a live lease: %+v", i, ls)
		}
	}
}
