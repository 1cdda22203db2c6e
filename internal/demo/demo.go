package demo

import (
	"context"
	"errors"
	"sync"
	"time"
)

// A run is one demo in progress.
type run struct {
	cfg    Config
	world  *world
	show   show
	began  time.Time // when the remotes began
	events []*event
	// settled is how many remotes each member served before the first kill.
	settled map[string]int
	report  Report
}

// Run shows what cfg says, until it is done or ctx ends. It returns ErrLost if
// requests went unanswered without an excuse.
func Run(ctx context.Context, cfg Config) error {
	defer cfg.Admin.Close()
	r := &run{cfg: cfg, show: newShow(cfg)}
	var err error
	if cfg.Plugin != "" {
		if r.report.Plugin, err = cfg.describePlugin(ctx); err != nil {
			return err
		}
	}
	w, err := newWorld(cfg)
	if err != nil {
		return err
	}
	r.world = w
	unwatch := r.beWatched()
	err = r.all(ctx)
	unwatch()
	r.show.end()
	if closeErr := w.close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return err
	}
	if err := r.write(); err != nil {
		return err
	}
	return r.report.verdict()
}

// beWatched has the node shown until stop is called, if it is to be.
func (r *run) beWatched() (stop func()) {
	if r.cfg.Admin == nil {
		return func() {}
	}
	r.show.say(r.cfg.Admin.Where())
	return r.cfg.Admin.Serve(r.world.view(r.cfg).Snapshot)
}

// all waits until the routers are ready, lets the remotes ask, and sums up.
func (r *run) all(ctx context.Context) error {
	r.show.say("building tunnels: real routers take about a quarter of a minute, and so do these")
	if err := r.world.waitReady(ctx, r.cfg, r.show.progress); err != nil {
		return err
	}
	r.began = time.Now()
	r.describe()
	if err := r.traffic(ctx); err != nil {
		return err
	}
	r.sumUp(ctx)
	return nil
}

// describe notes the LeaseSet that the remotes find.
func (r *run) describe() {
	merged := r.world.balancers().GetMerged()
	r.report.Destination = r.world.dest.Base32()
	r.report.Policy, r.report.Seed = r.cfg.Policy, r.cfg.Seed
	r.report.LeaseSet.Leases = int(merged.GetLeases())
	r.report.LeaseSet.Routers = int(merged.GetRouters())
}

// traffic lets all remotes ask and download for the time that the user wants,
// and then waits for the last answers and the ends of the downloads.
func (r *run) traffic(ctx context.Context) error {
	downloading, end := context.WithCancel(ctx)
	var downloads sync.WaitGroup
	for _, c := range r.world.downloading() {
		downloads.Go(func() { c.download.run(downloading, c.served) })
	}
	defer downloads.Wait()
	defer end()
	if err := r.requests(ctx); err != nil {
		return err
	}
	if err := r.watch(ctx, time.Now().Add(answerTime)); err != nil {
		return err
	}
	if err := r.awaitStreams(ctx); err != nil {
		return err
	}
	return r.awaitNetDB(ctx)
}

// requests has all remotes ask while things are killed.
func (r *run) requests(ctx context.Context) error {
	asking, stop := context.WithCancel(ctx)
	var clients sync.WaitGroup
	for _, c := range r.world.clients {
		clients.Go(func() { c.ask(asking) })
	}
	defer clients.Wait()
	defer stop()
	return r.conduct(ctx)
}

// awaitNetDB waits until the leases of what was killed have left the netDB: a
// publisher may not be pushed more than once in 21 s.
func (r *run) awaitNetDB(ctx context.Context) error {
	until := time.Now().Add(netDBTime)
	for r.pending() && time.Now().Before(until) {
		if err := r.watch(ctx, time.Now().Add(lookEvery)); err != nil {
			return err
		}
	}
	return nil
}

// netDBTime is how long a demo waits at its end for the netDB.
const netDBTime = 25 * time.Second

func (r *run) pending() bool {
	for _, e := range r.events {
		if e.report.LeasesGoneMS == nil && takesLeases(e.report.Kind) {
			return true
		}
	}
	return false
}

// conduct kills what is to be killed, spread evenly over the time.
func (r *run) conduct(ctx context.Context) error {
	kills := r.cfg.kills()
	step := r.cfg.For / time.Duration(len(kills)+1)
	for i, what := range kills {
		at := r.began.Add(step * time.Duration(i+1))
		if err := r.watch(ctx, at); err != nil {
			return err
		}
		if i == 0 {
			r.world.network.AgeSessions(r.cfg.Age)
		}
		if err := r.killNext(what); err != nil {
			return err
		}
	}
	return r.watch(ctx, r.began.Add(r.cfg.For))
}

// watch looks at the world until a time comes.
func (r *run) watch(ctx context.Context, until time.Time) error {
	for now := time.Now(); now.Before(until); now = time.Now() {
		select {
		case <-r.world.node.Done():
			return r.world.node.Close() // which has the reason
		default:
		}
		r.look(now)
		r.show.table(r)
		if !rest(ctx, min(lookEvery, until.Sub(now))) {
			return errInterrupted
		}
	}
	return nil
}

// errInterrupted says that the user ended the demo.
var errInterrupted = errors.New("interrupted")

// rest waits, and reports whether ctx still lives.
func rest(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// sumUp completes the report.
func (r *run) sumUp(ctx context.Context) {
	r.report.LeaseSet.InNetDB = r.inNetDB(ctx)
	r.report.LeaseSet.Publishes = r.world.publishes
	r.report.Requests = r.world.tally.Requests(time.Now(), 0)
	r.report.Streams = r.world.streams()
	r.sumUpPlugin()
	r.report.Events = []EventReport{}
	for _, e := range r.events {
		r.report.Events = append(r.report.Events, e.report)
	}
}

func (r *run) write() error {
	if r.cfg.JSON {
		return r.report.writeJSON(r.cfg.Out)
	}
	r.report.writeText(r.cfg.Out)
	return nil
}
