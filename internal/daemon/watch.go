package daemon

import (
	"fmt"
	"time"

	"github.com/onelease/onelease/backend"
	"github.com/onelease/onelease/backend/plugin"
	"github.com/onelease/onelease/i2p/streaming"
	"github.com/onelease/onelease/internal/admin"
)

// Watch is what there is to see of the backend.
func (d *Daemon) Watch() *admin.Snapshot {
	stats := d.host.Stats()
	status := d.statusOf(stats)
	s := &admin.Snapshot{Role: admin.RoleBackend, Name: status.Name, Status: status}
	s.Brief = fmt.Sprintf("%d streams, %d remotes", status.Streams, status.Remotes)
	s.Need("drain", !status.Draining, "none", "it was told to end, and takes nothing new")
	CheckFrontends(s, stats.Frontends)
	d.checkSigning(s, stats, time.Now())
	d.set.Watch(s, status.Services)
	Measure(s, stats, status.Draining)
	return s
}

// Measure adds the metrics of a backend but for its services'.
func Measure(s *admin.Snapshot, stats backend.Stats, draining bool) {
	measureHost(s, stats)
	admin.MeasureIf(s, "onelease_backend_draining", draining)
	measureStreams(s, stats.Streams)
}

// CheckFrontends has a backend ready while there is a way to and from it. That it is one of
// several is worth a word.
func CheckFrontends(s *admin.Snapshot, frontends []backend.FrontendStats) {
	up, away := 0, ""
	for _, f := range frontends {
		if f.State == backend.LinkUp {
			up++
			continue
		}
		away += fmt.Sprintf("; %s is %s: %s", f.Name, f.State, f.Error)
	}
	text := fmt.Sprintf("%d of %d up", up, len(frontends))
	s.Need("frontends", up > 0, text, text+away)
	s.Advise("all-frontends", up == len(frontends), text, text+away)
}

func (d *Daemon) checkSigning(s *admin.Snapshot, stats backend.Stats, now time.Time) {
	until := stats.SignsUntil
	switch {
	case until.IsZero() && d.who.delegate == nil:
		s.Need("signing", true, "by the Destination's own key", "")
	case until.IsZero():
		given := d.who.delegate.Status()
		s.Need("signing", given.HandedOver, "by the Destination's own key", "no permission yet: it comes from the leading balancer: "+given.Error)
	default:
		s.Need("signing", now.Before(until), "permitted for "+until.Sub(now).Round(time.Second).String(), "the permission is over: no balancer has renewed it")
	}
}

func checkService(s *admin.Snapshot, service ServiceStatus) {
	running := 0
	for _, i := range service.Instances {
		if i.State == string(plugin.Running) {
			running++
		}
	}
	good, bad := fmt.Sprintf("%d running", running), "no process of it runs"
	if service.NextStart != nil {
		bad += ", it is started again at " + service.NextStart.Format(time.RFC3339)
	}
	if last := service.LastExit; last != nil {
		bad += "; the last one: " + last.Reason
	}
	if service.Kind == "builtin" {
		good = "built in"
	}
	s.Need("service "+service.Name, service.Kind == "builtin" || running > 0, good, bad)
}

func measureHost(s *admin.Snapshot, stats backend.Stats) {
	for _, f := range stats.Frontends {
		admin.MeasureIf(s, "onelease_backend_frontend_up", f.State == backend.LinkUp, f.Name)
		admin.MeasureIf(s, "onelease_backend_frontend_draining", f.Draining, f.Name)
		admin.Measure(s, "onelease_backend_frontend_remotes", f.Remotes, f.Name)
		admin.Measure(s, "onelease_backend_frontend_stranded", f.Stranded, f.Name)
		admin.Measure(s, "onelease_backend_frontend_connects_total", f.Connects, f.Name)
		admin.Measure(s, "onelease_backend_frontend_packets_in_total", f.In, f.Name)
		admin.Measure(s, "onelease_backend_frontend_packets_out_total", f.Out, f.Name)
		admin.Measure(s, "onelease_backend_frontend_dropped_total", f.Dropped, f.Name)
		admin.Measure(s, "onelease_backend_frontend_hellos_total", f.Hellos, f.Name)
	}
	admin.Measure(s, "onelease_backend_weight", stats.Weight)
	admin.MeasureTime(s, "onelease_backend_signs_until_timestamp_seconds", stats.SignsUntil)
	for metric, count := range map[string]uint64{
		"onelease_backend_remotes": uint64(stats.Remotes), "onelease_backend_stranded": uint64(stats.Stranded),
		"onelease_backend_remotes_lost_total": stats.Lost, "onelease_backend_remotes_moved_total": stats.Moved,
		"onelease_backend_remotes_stalled_total":    stats.Stalled,
		"onelease_backend_stalls_resumed_total":     stats.Stalls.Resumed,
		"onelease_backend_stalls_unreachable_total": stats.Stalls.Unreachable,
		"onelease_backend_stalls_broken_total":      stats.Stalls.Broken,
		"onelease_backend_unsigned_total":           stats.Unsigned,
		"onelease_backend_packets_unclaimed_total":  stats.Unclaimed,
		"onelease_backend_packets_invalid_total":    stats.Invalid,
		"onelease_backend_packets_overflow_total":   stats.Overflow,
	} {
		admin.Measure(s, metric, count)
	}
	if stats.Stalls.Resumed > 0 {
		admin.MeasureSeconds(s, "onelease_backend_stall_median_seconds", stats.Stalls.P50)
		admin.MeasureSeconds(s, "onelease_backend_stall_max_seconds", stats.Stalls.Max)
	}
}

func measureStreams(s *admin.Snapshot, streams streaming.Stats) {
	for metric, count := range map[string]uint64{
		"onelease_streams_open": uint64(streams.Open), "onelease_streams_accepted_total": streams.Accepted,
		"onelease_streams_dialled_total": streams.Dialled, "onelease_streams_refused_total": streams.Refused,
		"onelease_streams_bytes_in_total": streams.BytesIn, "onelease_streams_bytes_out_total": streams.BytesOut,
		"onelease_streams_packets_in_total": streams.PacketsIn, "onelease_streams_packets_out_total": streams.PacketsOut,
		"onelease_streams_retransmits_total": streams.Retransmits, "onelease_streams_duplicates_total": streams.Duplicates,
		"onelease_streams_resets_total": streams.Resets, "onelease_streams_timeouts_total": streams.Timeouts,
		"onelease_streams_invalid_total": streams.Invalid, "onelease_streams_unsigned_total": streams.Unsigned,
		"onelease_streams_unclaimed_total": streams.Unclaimed, "onelease_streams_choked_total": streams.Choked,
	} {
		admin.Measure(s, metric, count)
	}
}

// MeasureService adds the metrics of a service that is a plugin.
func MeasureService(s *admin.Snapshot, name string, stats plugin.Stats) {
	t := stats.Traffic
	for metric, count := range map[string]uint64{
		"onelease_service_processes": uint64(len(stats.Instances)), "onelease_service_restarts_total": stats.Restarts,
		"onelease_service_reloads_total": stats.Reloads, "onelease_service_waiting": uint64(stats.Waiting),
		"onelease_service_unaccepted_total": stats.Unaccepted, "onelease_service_streams_open": uint64(t.StreamsOpen),
		"onelease_service_streams_total": t.Streams, "onelease_service_streams_broken_total": t.Broken,
		"onelease_service_bytes_in_total": t.BytesIn, "onelease_service_bytes_out_total": t.BytesOut,
		"onelease_service_packets_in_total": t.PacketsIn, "onelease_service_packets_out_total": t.PacketsOut,
		"onelease_service_dropped_in_total": t.DroppedIn, "onelease_service_dropped_out_total": t.DroppedOut,
	} {
		admin.Measure(s, metric, count, name)
	}
}
