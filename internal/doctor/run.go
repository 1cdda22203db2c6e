package doctor

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"
)

const (
	// progressEvery is how often what is not done yet is told.
	progressEvery = 5 * time.Second
	// lateBy is how long after its limit a check is still waited for: one that hangs in
	// the file system does not heed a context.
	lateBy = time.Second
)

// A run is the checks under way.
type run struct {
	cfg   Config
	ctx   context.Context
	log   *slog.Logger
	tasks sync.WaitGroup

	mu      sync.Mutex
	results [][]Result // of each task, in the order in which they were started
	pending map[int]begun
}

// A begun task has begun.
type begun struct {
	check, on string
	at        time.Time
}

// start makes the check of one thing, beside others, when each of after is closed.
func (r *run) start(check, on string, do func(ctx context.Context) []Result, after ...<-chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := len(r.results)
	r.results = append(r.results, nil)
	r.tasks.Go(func() {
		for _, done := range after {
			<-done
		}
		r.begin(n, begun{check, on, time.Now()})
		r.end(n, r.within(check, on, do))
	})
}

func (r *run) begin(n int, b begun) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.pending == nil {
		r.pending = map[int]begun{}
	}
	r.pending[n] = b
}

func (r *run) end(n int, results []Result) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.pending, n)
	r.results[n] = results
}

// within has do end by the check's limit, or reports that it did not.
func (r *run) within(check, on string, do func(ctx context.Context) []Result) []Result {
	ctx, cancel := context.WithTimeout(r.ctx, limit(check))
	defer cancel()
	results := make(chan []Result, 1)
	go func() { results <- do(ctx) }()
	select {
	case found := <-results:
		return found
	case <-ctx.Done():
	}
	select {
	case found := <-results:
		return found
	case <-time.After(lateBy):
		return unknown(check, on, fmt.Sprintf("it did not end within %v", limit(check)))
	}
}

// report waits for all that was started.
func (r *run) report() Report {
	done := make(chan struct{})
	go func() {
		r.tasks.Wait()
		close(done)
	}()
	tick := time.NewTicker(progressEvery)
	defer tick.Stop()
	for {
		select {
		case <-done:
			return r.collect()
		case <-tick.C:
			r.cfg.Progress(r.waiting())
		}
	}
}

// collect puts the results into the order of Table; those of one check stay in theirs.
func (r *run) collect() Report {
	var report Report
	all := slices.Concat(r.results...)
	for _, c := range Table {
		report.add(slices.DeleteFunc(slices.Clone(all), func(one Result) bool { return one.Check != c.Name }))
	}
	return report
}

// waiting is what is under way, what began first first.
func (r *run) waiting() (all []Pending) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, b := range r.pending {
		all = append(all, Pending{b.check, b.on, time.Since(b.at), limit(b.check)})
	}
	slices.SortFunc(all, func(a, b Pending) int { return int(b.Since - a.Since) })
	return all
}
