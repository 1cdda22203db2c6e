package doctor

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/i2cp"
)

const (
	// maxLooks is how often a Destination is looked up before it counts as not there, if the
	// check has the time, and lookPause the time between: i2pd finds nothing while it has no tunnels of its own.
	maxLooks  = 3
	lookPause = 5 * time.Second
)

// looks is how often that is. Where nothing follows from it, once will do.
func (l Life) looks() int {
	if l == MayRun {
		return 1
	}
	return maxLooks
}

// netDB looks a Destination up through the router. What that says depends on whether the
// setup runs.
func (r *run) netDB(m *met, hash i2p.Hash) func(context.Context) []Result {
	return func(ctx context.Context) []Result {
		found, looks, err := m.find(ctx, hash, r.cfg.Life.looks())
		switch {
		case errors.Is(err, context.DeadlineExceeded):
			return unknown(checkNetDB, m.Name, fmt.Sprintf("the router has not ended a lookup within %v", limit(checkNetDB)))
		case err != nil:
			return unknown(checkNetDB, m.Name, err.Error())
		}
		return judgeNetDB(m.Name, hash.Base32(), found, looks, r.cfg.Life)
	}
}

// probesNetDB reports whether the self-test is to look for the Destinations: where it matters
// that one is not found, another has to be found by the same way.
func (r *run) probesNetDB() bool { return r.cfg.Life == Stopped && !r.cfg.Quick }

// elsewhere says whether another machine has the Destination, by what the self-test has
// found. If that did not come so far the router may still find it.
func (m *met) elsewhere(ctx context.Context, hash i2p.Hash, tested map[i2p.Hash]bool) []Result {
	there, looked := tested[hash]
	if looked && !there {
		return good(checkDuplicate, m.Name, "the netDB has nothing of "+hash.Base32()+", where it has what this router has just put there")
	}
	looks := 0
	if !looked {
		there, looks, _ = m.find(ctx, hash, maxLooks)
	}
	return judgeNetDB(m.Name, hash.Base32(), there, looks, Stopped)
}

func judgeNetDB(on, address string, found bool, looks int, life Life) []Result {
	has := "the netDB has a LeaseSet of " + address
	hasNot := fmt.Sprintf("the router does not find %s (lookups: %d)", address, looks)
	switch {
	case life == Stopped && found:
		return bad("duplicate", on, has)
	case life == Stopped:
		return unknown(checkDuplicate, on, hasNot+", which it says without tunnels of its own as well: check without --quick, when it has run for some minutes")
	case life == Running && !found:
		return bad("netdb-nothing", on, hasNot)
	case life == Running:
		return append(good(checkNetDB, on, has+". Which leases, no stock router tells its clients"),
			unknown(checkDuplicate, on, "cannot be checked while it runs: stop it on all machines, wait for ten minutes, and check with --stopped. onelease lookup may see the leases")...)
	case found:
		return unknown(checkDuplicate, on, has+". If nothing of this setup runs, another machine hosts it: check with --stopped, or --running")
	}
	return unknown(checkNetDB, on, hasNot+". That is right if nothing of this setup runs: check with --stopped, or --running")
}

// find looks the Destination up some times, without a session, and says how often it was not
// there. One lookup may take 40 s (i2pd 2.45.1): what the time was too short for does not count.
func (m *met) find(ctx context.Context, hash i2p.Hash, most int) (found bool, looks int, err error) {
	err = i2cp.Visit(ctx, m.config(), func(ctx context.Context, client *i2cp.Client) error {
		for looks < most && (looks == 0 || pause(ctx, lookPause)) {
			_, err := client.LookupHash(ctx, hash)
			if found = err == nil; found {
				return nil
			}
			if !errors.Is(err, i2cp.ErrNotFound) {
				return err
			}
			looks++
		}
		return nil
	})
	if looks > 0 && errors.Is(err, context.DeadlineExceeded) {
		err = nil
	}
	return found, looks, err
}

// pause waits, and reports whether ctx let it.
func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}
