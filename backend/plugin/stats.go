package plugin

import (
	"sync/atomic"
	"time"
)

// A State is where an instance is:
//
//	starting --ready--> running --another took its place, or the end--> draining --> (gone)
//	    |      \--ready, during a Reload--> candidate --took over--> running
//	    \--> (gone)
type State string

// The states.
const (
	Starting  State = "starting"
	Candidate State = "candidate"
	Running   State = "running"
	Draining  State = "draining"
)

// Stats is a moment of a Supervisor, for a status page.
type Stats struct {
	// Name is Config.Name.
	Name string
	// Instances are the processes that live, newest first: more than one during a
	// Reload. None means that the next start is awaited.
	Instances []InstanceStats
	// Restarts counts starts but for the first and those of Reload.
	Restarts uint64
	// Reloads counts those that succeeded.
	Reloads uint64
	// Ports is how many ports are open, and Waiting how many streams came that no
	// plugin has accepted yet.
	Ports, Waiting int
	// Unaccepted counts streams that were reset since no plugin accepted them in time.
	Unaccepted uint64
	// NextStart is when the plugin is started again, if none runs. Else it is zero.
	NextStart time.Time
	// LastExit is how the last process ended or failed to start.
	LastExit Exit
	// Traffic is of all instances since New.
	Traffic
	// LogSuppressed counts lines of its log that were not passed on.
	LogSuppressed uint64
}

// InstanceStats is a moment of one process.
type InstanceStats struct {
	PID     int
	State   State
	Version string // the plugin's own; unverified
	SHA256  string // of its program
	Since   time.Time
	Traffic
	// Unhealthy is how many health checks failed in a row.
	Unhealthy int
}

// Traffic is what went through.
type Traffic struct {
	// StreamsOpen are open now; Streams have been in all, both directions.
	StreamsOpen int
	Streams     uint64
	// Broken counts streams that ended by a reset, of either side.
	Broken uint64
	// BytesIn are of streams to the plugin, BytesOut from it.
	BytesIn, BytesOut uint64
	// PacketsIn are datagrams to the plugin, PacketsOut from it; DroppedIn were not
	// read in time by the plugin, DroppedOut could not be sent.
	PacketsIn, PacketsOut, DroppedIn, DroppedOut uint64
}

// An Exit is the end of a process.
type Exit struct {
	At time.Time
	// Reason says why in words, with the exit status.
	Reason string
	// Lines are the last ones of its log.
	Lines []string
}

// traffic counts; an instance has one.
type traffic struct {
	streamsOpen                                  atomic.Int64
	streams, broken                              atomic.Uint64
	bytesIn, bytesOut                            atomic.Uint64
	packetsIn, packetsOut, droppedIn, droppedOut atomic.Uint64
}

func (t *traffic) snapshot() Traffic {
	return Traffic{
		StreamsOpen: int(t.streamsOpen.Load()), Streams: t.streams.Load(), Broken: t.broken.Load(),
		BytesIn: t.bytesIn.Load(), BytesOut: t.bytesOut.Load(),
		PacketsIn: t.packetsIn.Load(), PacketsOut: t.packetsOut.Load(),
		DroppedIn: t.droppedIn.Load(), DroppedOut: t.droppedOut.Load(),
	}
}

func (t Traffic) plus(o Traffic) Traffic {
	return Traffic{
		StreamsOpen: t.StreamsOpen + o.StreamsOpen, Streams: t.Streams + o.Streams, Broken: t.Broken + o.Broken,
		BytesIn: t.BytesIn + o.BytesIn, BytesOut: t.BytesOut + o.BytesOut,
		PacketsIn: t.PacketsIn + o.PacketsIn, PacketsOut: t.PacketsOut + o.PacketsOut,
		DroppedIn: t.DroppedIn + o.DroppedIn, DroppedOut: t.DroppedOut + o.DroppedOut,
	}
}

func (i *instance) stats(t Traffic) InstanceStats {
	return InstanceStats{
		PID: i.pid(), State: i.getState(), Version: i.version(), SHA256: i.spec.sum, Since: i.since,
		Traffic: t, Unhealthy: int(i.unhealthy.Load()),
	}
}

func (t *portTable) stats() (ports, waiting int, unaccepted uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.ports), len(t.waiting), t.unaccepted
}
