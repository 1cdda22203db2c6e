package daemon

import (
	"os"
	"time"

	"github.com/onelease/onelease/backend"
	"github.com/onelease/onelease/backend/plugin"
)

// A Status is how a backend is.
type Status struct {
	Destination string           `json:"destination"` // b32
	Name        string           `json:"name"`        // empty: there is one backend
	Weight      int              `json:"weight"`      // as frontends are told; 0: nothing new
	Standby     bool             `json:"standby"`
	PID         int              `json:"pid"`
	Since       time.Time        `json:"since"`
	Draining    bool             `json:"draining"`
	Frontends   []FrontendStatus `json:"frontends"`
	Streams     int              `json:"streams"` // open
	Remotes     int              `json:"remotes"` // remembered
	// Stranded are remotes that lost their frontend and were not heard since; Lost all that
	// ever did, Stalled those of them that were not heard in time, and Moved
	// those that came in by another frontend than before, whether theirs was lost or not.
	Stranded int    `json:"stranded"`
	Lost     uint64 `json:"lost"`
	Stalled  uint64 `json:"stalled"`
	Moved    uint64 `json:"moved"`
	Stalls   Stalls `json:"stalls"`
	// SignsUntil is when the permission to sign ends; null: the Destination's own key
	// signs, or there is none.
	SignsUntil *time.Time      `json:"signs_until"`
	Services   []ServiceStatus `json:"services"`
}

// Stalls are those of backend.StallStats: of remotes that had streams when their frontend was
// lost.
type Stalls struct {
	Resumed     uint64 `json:"resumed"`     // their streams went on
	Unreachable uint64 `json:"unreachable"` // they were not heard again
	Broken      uint64 `json:"broken"`      // they were, but for a stream
	MedianMS    int64  `json:"median_ms"`   // how long streams stood still, of the last 100; 0: none resumed
	MaxMS       int64  `json:"max_ms"`
}

// A FrontendStatus is how the link to one is.
type FrontendStatus struct {
	Name       string    `json:"name"`
	State      string    `json:"state"` // connecting, up, waiting or refused
	Since      time.Time `json:"since"`
	Error      string    `json:"error"`
	Draining   bool      `json:"draining"`
	Remotes    int       `json:"remotes"`  // that are answered there
	Stranded   int       `json:"stranded"` // those of them that came from a lost one, and were not heard yet
	Hellos     uint64    `json:"hellos"`   // sent to bring those over
	Connects   uint64    `json:"connects"` // how often the link came up
	PacketsIn  uint64    `json:"packets_in"`
	PacketsOut uint64    `json:"packets_out"`
	Dropped    uint64    `json:"dropped"` // that the link did not take
}

// A ServiceStatus is how one is. What is built in has no more than a name and a kind.
type ServiceStatus struct {
	Name string `json:"name"`
	Kind string `json:"kind"` // plugin, program or builtin
	// Instances are the processes that live, newest first.
	Instances []InstanceStatus `json:"instances"`
	Restarts  uint64           `json:"restarts"`
	Reloads   uint64           `json:"reloads"`
	// NextStart is when it is started again; null: it runs.
	NextStart *time.Time `json:"next_start"`
	// LastExit is how the last process ended, null if none did.
	LastExit *ExitStatus `json:"last_exit"`
	// Waiting are streams that no process has accepted yet; Unaccepted were reset since
	// none did in time.
	Waiting    int     `json:"waiting"`
	Unaccepted uint64  `json:"unaccepted"`
	Traffic    Traffic `json:"traffic"` // of all processes
}

// An InstanceStatus is one process of a plugin.
type InstanceStatus struct {
	PID       int       `json:"pid"`
	State     string    `json:"state"`
	Version   string    `json:"version"`
	SHA256    string    `json:"sha256"`
	Since     time.Time `json:"since"`
	Unhealthy int       `json:"unhealthy"` // health checks in a row that failed
	Traffic   Traffic   `json:"traffic"`
}

// An ExitStatus is the end of a process.
type ExitStatus struct {
	At     time.Time `json:"at"`
	Reason string    `json:"reason"`
	Lines  []string  `json:"lines"` // the last ones of its log
}

// Traffic is that of plugin.Stats.
type Traffic struct {
	StreamsOpen int    `json:"streams_open"`
	Streams     uint64 `json:"streams"`
	Broken      uint64 `json:"broken"`
	BytesIn     uint64 `json:"bytes_in"`
	BytesOut    uint64 `json:"bytes_out"`
	PacketsIn   uint64 `json:"packets_in"`
	PacketsOut  uint64 `json:"packets_out"`
	DroppedIn   uint64 `json:"dropped_in"`
	DroppedOut  uint64 `json:"dropped_out"`
}

// Status is how it is now. It is of use while the daemon is Run.
func (d *Daemon) Status() Status { return d.statusOf(d.host.Stats()) }

func (d *Daemon) statusOf(stats backend.Stats) Status {
	s := StatusOf(stats, d.set, d.since)
	s.Destination, s.Draining = d.Address(), d.draining.Load()
	return s
}

// StatusOf is what is known by a host and its services, which began since; it lacks
// Destination and Draining.
func StatusOf(stats backend.Stats, set *Set, since time.Time) Status {
	s := Status{
		Name: stats.Name, Weight: stats.Weight, Standby: stats.Standby, PID: os.Getpid(), Since: since.UTC(),
		Streams: stats.Streams.Open, Remotes: stats.Remotes, SignsUntil: timeOrNil(stats.SignsUntil), Services: set.Status(),
		Stranded: stats.Stranded, Lost: stats.Lost, Stalled: stats.Stalled, Moved: stats.Moved, Stalls: stallsOf(stats.Stalls),
	}
	for _, f := range stats.Frontends {
		s.Frontends = append(s.Frontends, statusOfFrontend(f))
	}
	return s
}

func statusOfFrontend(f backend.FrontendStats) FrontendStatus {
	return FrontendStatus{
		Name: f.Name, State: f.State.String(), Since: f.Since.UTC(), Error: f.Error,
		Draining: f.Draining, Remotes: f.Remotes, Stranded: f.Stranded, Hellos: f.Hellos, Connects: f.Connects,
		PacketsIn: f.In, PacketsOut: f.Out, Dropped: f.Dropped,
	}
}

func stallsOf(s backend.StallStats) Stalls {
	return Stalls{
		Resumed: s.Resumed, Unreachable: s.Unreachable, Broken: s.Broken,
		MedianMS: s.P50.Milliseconds(), MaxMS: s.Max.Milliseconds(),
	}
}

func (u *unit) status() ServiceStatus {
	s := ServiceStatus{Name: u.Name, Kind: u.kind(), Instances: []InstanceStatus{}}
	if u.plugin == nil {
		return s
	}
	stats := u.plugin.Stats()
	s.Restarts, s.Reloads, s.NextStart = stats.Restarts, stats.Reloads, timeOrNil(stats.NextStart)
	s.Waiting, s.Unaccepted, s.Traffic = stats.Waiting, stats.Unaccepted, Traffic(stats.Traffic)
	if last := stats.LastExit; !last.At.IsZero() {
		s.LastExit = &ExitStatus{At: last.At.UTC(), Reason: last.Reason, Lines: last.Lines}
	}
	for _, i := range stats.Instances {
		s.Instances = append(s.Instances, statusOfInstance(i))
	}
	return s
}

func statusOfInstance(i plugin.InstanceStats) InstanceStatus {
	return InstanceStatus{
		PID: i.PID, State: string(i.State), Version: i.Version, SHA256: i.SHA256,
		Since: i.Since.UTC(), Unhealthy: i.Unhealthy, Traffic: Traffic(i.Traffic),
	}
}

func (u *unit) kind() string {
	switch {
	case u.catalog != nil:
		return "plugin"
	case u.plugin != nil:
		return "program"
	}
	return "builtin"
}

func timeOrNil(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}
