package test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// A survivalResult sums up what one kind of loss did.
type survivalResult struct {
	transfers, failed int
	// How long the lost member's streams stood still.
	downloads, uploads []time.Duration
}

func (r *survivalResult) judge(t *testing.T, l loss, version string) {
	t.Helper()
	t.Logf("i2pd %s, %s: %d transfers, %d failed; streams of the lost member stood still: downloads %s, uploads %s",
		version, l.name, r.transfers, r.failed, quantiles(r.downloads), quantiles(r.uploads))
	if r.transfers >= 10 { // of fewer, one that fails says little
		r.judgeFailed(t, l.name)
	}
	judged, most := slices.Concat(r.downloads, r.uploads), l.p50
	if strings.HasPrefix(version, "2.45.") {
		// It sends again after a round trip and a half, after two more, and
		// then after 9 s, whatever it is told meanwhile (Streaming.cpp,
		// HandleResendTimer): with the round trips of this network that is
		// before anybody knows of the loss, and now and then without one.
		judged = r.downloads
		if r.transfers < 20 {
			most = 10 * time.Second
		}
	}
	slices.Sort(judged)
	if n := len(judged); n > 0 && judged[n/2] > most {
		t.Errorf("%s: want them to stand still for p50 %v at most", l.name, most)
	}
}

// judgeFailed wants nine of ten transfers to be right.
func (r *survivalResult) judgeFailed(t *testing.T, what string) {
	t.Helper()
	if 10*r.failed > r.transfers {
		t.Errorf("%s: %d of %d transfers failed", what, r.failed, r.transfers)
	}
}

// quantiles is p50 and the most of d, in seconds.
func quantiles(d []time.Duration) string {
	if len(d) == 0 {
		return "(none)"
	}
	d = slices.Sorted(slices.Values(d))
	return fmt.Sprintf("p50 %.2f s, max %.2f s (%d)", d[len(d)/2].Seconds(), d[len(d)-1].Seconds(), len(d))
}

// add takes what became of the transfers. Which of them were on the lost member
// only the routers know: it counts those that stood still longest, as many as it had.
func (r *survivalResult) add(runs []*streamRun, remotes int) {
	slices.SortFunc(runs, func(a, b *streamRun) int { return int(b.meter.Report().Gap - a.meter.Report().Gap) })
	for i, run := range runs {
		r.transfers++
		if run.err != nil {
			r.failed++
		}
		switch gap := run.meter.Report().Gap; {
		case i >= remotes:
		case run.up:
			r.uploads = append(r.uploads, gap)
		default:
			r.downloads = append(r.downloads, gap)
		}
	}
}
