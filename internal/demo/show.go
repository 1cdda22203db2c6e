package demo

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/onelease/onelease/balancer/controlpb"
)

// tableEvery is how often the table is drawn.
const tableEvery = 200 * time.Millisecond

// plainEvery is how often a line is printed where there is no terminal.
const plainEvery = 5 * time.Second

// A show is what the user sees while the demo runs: a table that is drawn over
// itself on a terminal, else lines. What is said stays on the screen.
type show struct {
	w     io.Writer
	live  bool // a terminal
	drawn int  // lines of the table on the screen
	last  time.Time
	told  string
}

func newShow(cfg Config) show {
	f, ok := cfg.Progress.(*os.File)
	return show{w: cfg.Progress, live: ok && !cfg.JSON && term.IsTerminal(int(f.Fd()))}
}

// say prints a line that stays.
func (s *show) say(line string) {
	s.wipe()
	fmt.Fprintln(s.w, line)
}

// wipe takes the table off the screen.
func (s *show) wipe() {
	if s.drawn > 0 {
		fmt.Fprintf(s.w, "\x1b[%dA\x1b[J", s.drawn)
		s.drawn = 0
	}
}

// end leaves the screen as it is.
func (s *show) end() { s.drawn = 0 }

// progress says how far the routers are, when that has changed.
func (s *show) progress(status *controlpb.Status) {
	tunnels, routers := 0, 0
	for _, f := range status.GetFrontends() {
		if f.GetMember() && len(f.GetLeases()) > 0 {
			tunnels += len(f.GetLeases())
			routers++
		}
	}
	line := fmt.Sprintf("  %d tunnels of %d routers", tunnels, routers)
	if status.GetMerged() != nil {
		line = fmt.Sprintf("  LeaseSet signed with %d leases; waiting for the netDB", status.GetMerged().GetLeases())
	}
	switch {
	case line == s.told:
	case s.live:
		s.draw([]string{line})
	default:
		s.say(line)
	}
	s.told = line
}

// table shows the state of r, if it is time to.
func (s *show) table(r *run) {
	every := plainEvery
	if s.live {
		every = tableEvery
	}
	now := time.Now()
	if now.Sub(s.last) < every {
		return
	}
	s.last = now
	if s.live {
		s.draw(r.lines(now))
	} else {
		fmt.Fprintf(s.w, "%s; %s\n", r.line(now), r.served(now))
	}
}

func (s *show) draw(lines []string) {
	s.wipe()
	fmt.Fprintln(s.w, strings.Join(lines, "\n"))
	s.drawn = len(lines)
}

// line is the state of r in one line.
func (r *run) line(now time.Time) string {
	q := r.world.tally.Requests(now, answerTime)
	return fmt.Sprintf("%5.1f s  %s; requests: %d sent, %d answered, %d lost, %d cut",
		now.Sub(r.began).Seconds(), r.netDB(), q.Sent, q.Answered, q.Lost, q.Cut)
}

// netDB says what a floodfill returns.
func (r *run) netDB() string {
	ls, _ := r.world.published()
	if ls == nil {
		return "netDB: nothing"
	}
	age := max(0, time.Since(ls.Published)) // members' own LeaseSets take up seconds of `published` as well
	return fmt.Sprintf("netDB: %d leases, %.0f s old", len(ls.Leases), age.Seconds())
}

// lines is the table: a line for each router, then the totals.
func (r *run) lines(now time.Time) []string {
	status := r.world.balancers()
	traffic := map[string]string{}
	for name, f := range r.world.frontends() {
		traffic[name] = fmt.Sprintf("%8d in %8d out %5d remotes", f.In, f.Out, f.Remotes)
	}
	lines := []string{fmt.Sprintf("  %-12s %-10s %-7s %s", "router", "role", "leases", "packets")}
	for _, f := range status.GetFrontends() {
		lines = append(lines, fmt.Sprintf("  %-12s %-10s %-7s %s",
			f.GetName(), role(f), leases(f), traffic[f.GetName()]))
	}
	return append(lines, r.line(now), "         "+r.served(now))
}

// served is what is served besides requests, in a few words.
func (r *run) served(now time.Time) string {
	if r.world.probes == nil {
		return r.world.streamsLine(now)
	}
	var words []string
	for _, s := range r.world.plugins {
		state := "plugin: none is ready"
		if pid, stats := running(s), s.Stats(); pid != 0 {
			state = fmt.Sprintf("plugin: process %d, %d streams open of %d", pid, stats.StreamsOpen, stats.Streams)
		}
		words = append(words, state)
	}
	return strings.Join(words, "; ")
}

func role(f *controlpb.FrontendStatus) string {
	switch {
	case f.GetMember() && f.GetPublisher():
		return "both"
	case f.GetPublisher():
		return "publisher"
	}
	return "member"
}

func leases(f *controlpb.FrontendStatus) string {
	if !f.GetUp() {
		return "lost"
	}
	return fmt.Sprint(len(f.GetLeases()))
}
