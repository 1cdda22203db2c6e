package demo

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/onelease/onelease/internal/tally"
)

// Errors of a demo that did not go as it should.
var (
	// ErrLost says that requests were lost that should have been answered.
	ErrLost = errors.New("requests were lost")
	// ErrBroken says that streams ended that could have gone on, or that wrong
	// bytes came.
	ErrBroken = errors.New("streams broke")
)

// A Report is what a demo ends with.
type Report struct {
	Destination string         `json:"destination"` // b32
	Policy      string         `json:"policy"`
	Seed        uint64         `json:"seed"`
	LeaseSet    LeaseSetReport `json:"leaseset"`
	Requests    tally.Requests `json:"requests"`
	Streams     StreamsReport  `json:"streams"`
	Plugin      *PluginReport  `json:"plugin,omitempty"`
	Events      []EventReport  `json:"events"`
}

// LeaseSetReport is the merged LeaseSet as it was when the remotes began, and
// what came of it.
type LeaseSetReport struct {
	Leases    int    `json:"leases"`
	Routers   int    `json:"routers"`
	Publishes uint64 `json:"publishes"` // until the end
	// InNetDB: a floodfill returned exactly the bytes that were signed last.
	InNetDB bool `json:"in_netdb"`
}

// PluginReport is the plugin that served, and what it answered.
type PluginReport struct {
	Name      string         `json:"name"` // its own, as its version
	Version   string         `json:"version"`
	Restarts  uint64         `json:"restarts"`
	Responses map[string]int `json:"responses"` // by HTTP status
}

// EventReport is one kill or drain. Times are in milliseconds; null: it did not happen.
type EventReport struct {
	Kind   string `json:"kind"`
	Target string `json:"target"`
	AtMS   int64  `json:"at_ms"` // after the remotes began
	// LeasesGoneMS: from the kill until no floodfill has the target's leases.
	LeasesGoneMS *int64 `json:"leases_gone_ms"`
	// RecoveredMS: from the kill until the last remote sent a request that was
	// answered; of a leader, until the next one signed its first LeaseSet; of a plugin,
	// until the first answer came by a stream that was begun after it.
	RecoveredMS *int64 `json:"recovered_ms"`
	// EmptiedMS: from a drain until the target served nobody and was stopped.
	EmptiedMS *int64 `json:"emptied_ms,omitempty"`
}

func milliseconds(d time.Duration) *int64 {
	ms := d.Milliseconds()
	return &ms
}

// verdict is the error that the demo ends with.
func (r *Report) verdict() error {
	if r.Requests.Lost > 0 {
		return fmt.Errorf("%d of %d: %w", r.Requests.Lost, r.Requests.Sent, ErrLost)
	}
	if s := r.Streams; s.Broken > 0 {
		return fmt.Errorf("%d of %d: %w", s.Broken, s.Opened, ErrBroken)
	}
	if !r.Streams.HashOK {
		return fmt.Errorf("wrong bytes came: %w", ErrBroken)
	}
	for _, e := range r.Events {
		if e.Kind == killLeader && e.RecoveredMS == nil {
			return fmt.Errorf("balancer %s was killed, and no other signed after it", e.Target)
		}
		if e.Kind == killPlugin && e.RecoveredMS == nil {
			return fmt.Errorf("the plugin (%s) was killed, and no new stream was answered after it", e.Target)
		}
	}
	if !r.LeaseSet.InNetDB {
		return errors.New("the netDB does not have the LeaseSet that was signed last")
	}
	return nil
}

func (r *Report) writeJSON(w io.Writer) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	return encoder.Encode(r)
}

func (r *Report) writeText(w io.Writer) {
	fmt.Fprintf(w, "\n%s\n", r.Destination)
	fmt.Fprintf(w, "  LeaseSet   %d leases of %d routers, published %d times, in the netDB: %v\n",
		r.LeaseSet.Leases, r.LeaseSet.Routers, r.LeaseSet.Publishes, r.LeaseSet.InNetDB)
	q := r.Requests
	fmt.Fprintf(w, "  requests   %d sent, %d answered, %d lost, %d cut by a kill\n", q.Sent, q.Answered, q.Lost, q.Cut)
	if r.Plugin != nil {
		r.Plugin.writeText(w)
	} else {
		r.Streams.writeText(w)
	}
	for _, e := range r.Events {
		e.writeText(w)
	}
}

func (s StreamsReport) writeText(w io.Writer) {
	right := "every byte right"
	if !s.HashOK {
		right = "WRONG BYTES"
	}
	lost := ""
	if s.BackendLost > 0 {
		lost = fmt.Sprintf(", %d ended with their backend", s.BackendLost)
	}
	fmt.Fprintf(w, "  streams    %d opened, %d outlived their router, %d broken, %d without a way on%s; %.1f MB, %s\n",
		s.Opened, s.Survived, s.Broken, s.Unreachable, lost, float64(s.Bytes)/1e6, right)
}

func (p PluginReport) writeText(w io.Writer) {
	var responses []string
	for _, code := range slices.Sorted(maps.Keys(p.Responses)) {
		responses = append(responses, fmt.Sprintf("%d with status %s", p.Responses[code], code))
	}
	fmt.Fprintf(w, "  plugin     %s %s, started again %d times; responses: %s\n",
		p.Name, p.Version, p.Restarts, cmp.Or(strings.Join(responses, ", "), "none"))
}

func (e EventReport) writeText(w io.Writer) {
	gone, recovered := span(e.LeasesGoneMS), span(e.RecoveredMS)
	what, came := e.Target+" killed", "all remotes answered again after "+recovered
	switch e.Kind {
	case killDrain:
		what, came = e.Target, fmt.Sprintf("its leases left the netDB after %s, it served nobody after %s", gone, span(e.EmptiedMS))
	case killLeader:
		what, came = "balancer "+what, "the next leader signed after "+recovered
	case killPlugin:
		came = "a new stream was answered after " + recovered
	case killRouter, killFrontend:
		came = fmt.Sprintf("its leases left the netDB after %s, %s", gone, came)
	}
	fmt.Fprintf(w, "  %-10s %s at %.1f s: %s\n", e.Kind, what, float64(e.AtMS)/1000, came)
}

func span(ms *int64) string {
	if ms == nil {
		return "(not yet)"
	}
	if *ms < 1000 {
		return fmt.Sprintf("%d ms", *ms)
	}
	return fmt.Sprintf("%.1f s", float64(*ms)/1000)
}
