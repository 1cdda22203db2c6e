package main

import (
	"fmt"
	"io"
	"math"
	"os"
	"runtime"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/internal/vanity"
)

// How often progress is shown: at a terminal in one line that changes, elsewhere in
// lines of a log.
const (
	lineEvery = time.Second
	logEvery  = 10 * time.Second
)

// findVanity searches with all cores, shows how it goes on stderr, and refuses a search
// that would take years.
func findVanity(cmd *cobra.Command, search *vanity.Search, keys *i2p.Keys) (*i2p.Keys, error) {
	cores := runtime.GOMAXPROCS(0)
	rate := vanity.Rate(keys.Destination) * float64(cores)
	if takes := search.Takes(rate); takes > vanity.LongestSearch {
		return nil, wrongUse(cmd, fmt.Errorf("--vanity: %s on the average on this machine, at %s addresses/s: give fewer characters", long(takes), rough(rate)))
	}
	p := progress{out: cmd.ErrOrStderr(), search: search, began: time.Now(), every: logEvery}
	if f, ok := p.out.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		p.every, p.inPlace = lineEvery, true
	}
	fmt.Fprintf(p.out, "Looking through about %s addresses on %s: %s on the average.\n",
		rough(search.Expected()), counted(uint32(cores), "core"), long(search.Takes(rate)))
	stop := p.start()
	found, err := search.Run(cmd.Context(), keys, cores)
	stop()
	if cmd.Context().Err() != nil {
		return nil, fmt.Errorf("%w: nothing was written", errInterrupted)
	}
	return found, err
}

// A progress tells how a search goes.
type progress struct {
	out     io.Writer
	search  *vanity.Search
	began   time.Time
	every   time.Duration
	inPlace bool
}

// start shows it until what is returned is called.
func (p *progress) start() (stop func()) {
	end, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		ticker := time.NewTicker(p.every)
		defer ticker.Stop()
		shown := false
		for {
			select {
			case now := <-ticker.C:
				p.show(now)
				shown = true
			case <-end:
				if shown && p.inPlace {
					fmt.Fprintln(p.out)
				}
				return
			}
		}
	}()
	return func() { close(end); <-ended }
}

func (p *progress) show(now time.Time) {
	line := describeSearch(float64(p.search.Tried()), p.search.Expected(), now.Sub(p.began))
	if p.inPlace {
		fmt.Fprint(p.out, "\r"+line+"\x1b[K")
	} else {
		fmt.Fprintln(p.out, line)
	}
}

// describeSearch says how far a search is, in a line of a terminal. It has no memory:
// however long it took so far, on the average it takes as long again as at the start.
func describeSearch(tried, expected float64, passed time.Duration) string {
	rate := tried / passed.Seconds()
	lucky := 100 * (1 - math.Exp(-tried/expected))
	left := time.Duration(min(expected/max(rate, 1)*float64(time.Second), math.MaxInt64/2))
	return fmt.Sprintf("%s tried, %s/s; chance so far %.0f %%; about %s more", rough(tried), rough(rate), lucky, long(left))
}

// rough is a large number for people.
func rough(n float64) string {
	for _, unit := range []struct {
		size float64
		name string
	}{{1e15, "quadrillion"}, {1e12, "trillion"}, {1e9, "billion"}, {1e6, "million"}, {1e3, "thousand"}} {
		if n >= unit.size {
			return fmt.Sprintf("%.3g %s", n/unit.size, unit.name)
		}
	}
	return fmt.Sprintf("%.0f", n)
}

// long is a duration for people, of whatever size.
func long(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d < time.Second:
		return "under a second"
	case d < 2*time.Minute:
		return span(d)
	case d < 2*time.Hour:
		return fmt.Sprintf("%.0f minutes", d.Minutes())
	case d < 2*day:
		return fmt.Sprintf("%.0f hours", d.Hours())
	case d < 2*365*day:
		return fmt.Sprintf("%.0f days", d.Hours()/24)
	}
	return fmt.Sprintf("%.0f years", d.Hours()/24/365)
}
