package demo

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/onelease/onelease/internal/tally"
)

// ErrLost says that requests were lost that should have been answered.
var ErrLost = errors.New("requests were lost")

// A Report is what a demo ends with.
type Report struct {
	Destination string         `json:"destination"` // b32
	Policy      string         `json:"policy"`
	Seed        uint64         `json:"seed"`
	LeaseSet    LeaseSetReport `json:"leaseset"`
	Requests    tally.Requests `json:"requests"`
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

// EventReport is one kill. Times are in milliseconds; null: it did not happen.
type EventReport struct {
	Kind   string `json:"kind"`
	Target string `json:"target"`
	AtMS   int64  `json:"at_ms"` // after the remotes began
	// LeasesGoneMS: from the kill until no floodfill has the target's leases.
	LeasesGoneMS *int64 `json:"leases_gone_ms"`
	// RecoveredMS: from the kill until the last remote sent a request that was answered.
	RecoveredMS *int64 `json:"recovered_ms"`
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
	for _, e := range r.Events {
		fmt.Fprintf(w, "  %-10s %s killed at %.1f s: its leases left the netDB after %s, all remotes answered again after %s\n",
			e.Kind, e.Target, float64(e.AtMS)/1000, span(e.LeasesGoneMS), span(e.RecoveredMS))
	}
}

func span(ms *int64) string {
	if ms == nil {
		return "(not yet)"
	}
	return fmt.Sprintf("%.1f s", float64(*ms)/1000)
}
