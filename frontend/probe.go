package frontend

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/onelease/onelease/balancer/controlpb"
	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/i2cp"
)

const (
	// sessionTime is how long the router may take to make the sessions, and
	// probeTime bounds what follows. A balancer waits for two minutes.
	sessionTime = 15 * time.Second
	probeTime   = 90 * time.Second
	// lookAgain is the time before each lookup of the same Destination.
	lookAgain = 2 * time.Second
	// destinationLooks is how often a real Destination is looked for.
	destinationLooks = 3
)

// Errors of TestNetDB: how far the test came.
var (
	// ErrProbeSession says that the router made no session for the test.
	ErrProbeSession = errors.New("no session for the self-test")
	// ErrProbeTunnels says that it made sessions and has built no tunnels for them.
	ErrProbeTunnels = errors.New("the router has built no tunnels for the self-test")
	// ErrProbeNetDB says that nothing was published, so that the test tells nothing.
	ErrProbeNetDB = errors.New("the netDB has neither of two throwaway Destinations, of which it should have one")
)

// A finding is what a self-test found.
type finding struct {
	inverted bool              // dontPublishLeaseSet=true publishes
	found    map[i2p.Hash]bool // whether the netDB has those Destinations, as far as they were looked up
	failed   error             // why one was not
}

// A prober tests a router.
type prober struct {
	router  *RouterConfig
	options i2p.Mapping // Config.ProbeOptions
	log     *slog.Logger
}

func (f *Frontend) prober() *prober {
	return &prober{&f.cfg.Router, f.cfg.ProbeOptions, f.log}
}

// selfTest opens two throwaway Destinations on the router, one of which asks
// not to be published, and has each look the other up. Whichever is found
// tells how the router reads the option; that none is tells nothing, for a
// router may also fail to publish. Then it looks for dests.
func (p *prober) selfTest(ctx context.Context, dests []i2p.Hash, failed func(error)) (finding, error) {
	ctx, cancel := context.WithCancel(ctx)
	var group sync.WaitGroup
	defer group.Wait()
	defer cancel()
	hidden, err := p.newThrowaway(true, failed)
	if err != nil {
		return finding{}, err
	}
	open, err := p.newThrowaway(false, failed)
	if err != nil {
		return finding{}, err
	}
	for _, t := range []*throwaway{hidden, open} {
		group.Go(func() {
			if err := t.client.Run(ctx); ctx.Err() == nil {
				t.setError(err) // a refusal, which does not pass
			}
		})
	}
	limit := time.AfterFunc(sessionTime, cancel)
	defer limit.Stop()
	if !await(ctx, hidden.up) || !await(ctx, open.up) {
		return finding{}, fmt.Errorf("%w: %w", ErrProbeSession, errors.Join(hidden.sessionError(), open.sessionError()))
	}
	limit.Reset(probeTime)
	if !await(ctx, hidden.ready) || !await(ctx, open.ready) {
		return finding{}, ErrProbeTunnels
	}
	return look(ctx, hidden, open, dests)
}

// await waits for done, and says whether it came before ctx ended.
func await(ctx context.Context, done <-chan struct{}) bool {
	select {
	case <-done:
		return true
	case <-ctx.Done():
		return false
	}
}

func look(ctx context.Context, hidden, open *throwaway, dests []i2p.Hash) (finding, error) {
	look, stop := context.WithCancel(ctx)
	var group sync.WaitGroup
	seen := make(chan finding, 2)
	group.Go(func() { hidden.renew(look) })
	group.Go(func() { open.renew(look) })
	group.Go(func() {
		if find(look, open.client, hidden.hash()) {
			seen <- finding{inverted: true}
		}
	})
	group.Go(func() {
		if find(look, hidden.client, open.hash()) {
			seen <- finding{inverted: false}
		}
	})
	defer group.Wait()
	defer stop()
	var result finding
	select {
	case result = <-seen:
	case <-ctx.Done():
		return finding{}, ErrProbeNetDB
	}
	seeker := hidden.client // whose lookup has just worked
	if result.inverted {
		seeker = open.client
	}
	result.found = map[i2p.Hash]bool{}
	for _, hash := range dests {
		if found, err := exists(ctx, seeker, hash); err == nil {
			result.found[hash] = found
		} else {
			result.failed = err
		}
	}
	return result, nil
}

// find looks hash up again and again until it is found or ctx ends. It does not
// begin at once: a lookup that comes before the publishing may take 40 s to fail
// on i2pd 2.45.1, and the next ones wait for it.
func find(ctx context.Context, by *i2cp.Client, hash i2p.Hash) bool {
	for {
		sleep(ctx, lookAgain)
		if ctx.Err() != nil {
			return false
		}
		if _, err := by.LookupHash(ctx, hash); err == nil {
			return true
		}
	}
}

// exists looks hash up a few times, since a lookup may fail by chance.
func exists(ctx context.Context, by *i2cp.Client, hash i2p.Hash) (bool, error) {
	var err error
	for range destinationLooks {
		if _, err = by.LookupHash(ctx, hash); err == nil {
			return true, nil
		}
		sleep(ctx, lookAgain)
	}
	if errors.Is(err, i2cp.ErrNotFound) {
		err = nil
	}
	return false, err
}

// replyProbe does what a balancer asked for.
func (f *Frontend) replyProbe(id uint64) {
	f.probeOne.Lock()
	defer f.probeOne.Unlock()
	var dests []i2p.Hash
	dest, _ := f.leases.serving()
	if !dest.IsZero() {
		dests = append(dests, dest.Hash())
	}
	reply := &controlpb.ProbeReply{Id: id}
	result, err := f.prober().selfTest(f.running, dests, func(error) {})
	if err = cmp.Or(err, result.failed); err != nil {
		reply.Error = err.Error()
	}
	reply.DontPublishInverted, reply.DestinationFound = result.inverted, result.found[dest.Hash()]
	f.control.reply(&controlpb.FrontendMessage{Kind: &controlpb.FrontendMessage_ProbeReply{ProbeReply: reply}})
}
