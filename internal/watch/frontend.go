// Package watch is what an operator sees of a frontend and of a balancer: their metrics,
// their checks, and their status as JSON has it. Those of a backend and of a SAM bridge
// are in packages daemon and samd.
package watch

import (
	"fmt"
	"slices"
	"time"

	"github.com/onelease/onelease/frontend"
	"github.com/onelease/onelease/frontend/guest"
	"github.com/onelease/onelease/internal/admin"
)

// A FrontendStatus is how a frontend is, as JSON has it.
type FrontendStatus struct {
	Name        string     `json:"name"`
	Destination string     `json:"destination"` // b32, empty until a balancer has told it
	Member      bool       `json:"member"`
	Publisher   bool       `json:"publisher"`
	Refuge      bool       `json:"refuge"`
	RouterUp    bool       `json:"router_up"`
	RouterError string     `json:"router_error"`
	Serving     bool       `json:"serving"`
	Draining    bool       `json:"draining"`
	DrainUntil  *time.Time `json:"drain_until"` // null: no drain
	DontPublish string     `json:"dont_publish"`
	Balancer    string     `json:"balancer"` // attached to; empty: none
	Term        uint64     `json:"term"`
	Seq         uint64     `json:"seq"`
	Expires     *time.Time `json:"expires"` // of the newest LeaseSet; null: none yet
	OnReserve   bool       `json:"on_reserve"`
	Tunnels     []Tunnel   `json:"tunnels"`
	Backends    int        `json:"backends"`
	Named       []Backend  `json:"named"` // those of them that have names
	PacketsIn   uint64     `json:"packets_in"`
	PacketsOut  uint64     `json:"packets_out"`
	Dropped     uint64     `json:"dropped"`
	Orphaned    uint64     `json:"orphaned"` // dropped, of a stream whose backend is not attached
	Unserved    uint64     `json:"unserved"` // dropped, would have begun a stream while no backend took any
	Guests      *int       `json:"guests"`   // null: none are taken
}

// A Backend is one of several that share the Destination.
type Backend struct {
	Name    string `json:"name"`
	Weight  int    `json:"weight"` // its share of new visitors; 0: it takes none
	Standby bool   `json:"standby"`
	Quiet   bool   `json:"quiet"` // it is silent, and gets nothing new unless all are
	Begun   uint64 `json:"begun"` // streams that were given to it
}

// A Tunnel is one of the router's inbound tunnels.
type Tunnel struct {
	Gateway string    `json:"gateway"` // the first letters of the hash of the router where it begins
	Tunnel  uint32    `json:"tunnel"`
	Ends    time.Time `json:"ends"`
}

// Frontend is what there is to see of one; guests is nil without --guests.
func Frontend(s frontend.Status, guests *guest.Status, now time.Time) *admin.Snapshot {
	shown := &admin.Snapshot{Role: admin.RoleFrontend, Name: s.Name, Status: frontendStatus(s, guests)}
	checkFrontend(shown, s, now)
	measureFrontend(shown, s)
	if guests != nil {
		admin.Measure(shown, "onelease_frontend_guests", guests.Guests)
		admin.Measure(shown, "onelease_frontend_guests_lingering", guests.Lingering)
		admin.Measure(shown, "onelease_frontend_guests_refused_total", guests.Refused)
	}
	return shown
}

// StatusOf is s as JSON has it, without guests.
func StatusOf(s frontend.Status) FrontendStatus { return frontendStatus(s, nil) }

func frontendStatus(s frontend.Status, guests *guest.Status) FrontendStatus {
	v := FrontendStatus{
		Name: s.Name, Destination: s.Destination, Member: s.Member, Publisher: s.Publisher, Refuge: s.Refuge,
		RouterUp: s.RouterUp, RouterError: s.RouterError, Serving: s.Serving, Draining: s.Draining, DrainUntil: timeOrNil(s.DrainUntil),
		DontPublish: string(s.Quirk), Balancer: s.Balancer, Term: s.Term, Seq: s.Seq, Expires: timeOrNil(s.Expires), OnReserve: s.OnReserve,
		Tunnels: []Tunnel{}, Backends: s.Backends, Named: []Backend{}, Orphaned: s.Orphaned, Unserved: s.Unserved, PacketsIn: s.PacketsIn, PacketsOut: s.PacketsOut, Dropped: s.Dropped,
	}
	for _, l := range s.Pool {
		v.Tunnels = append(v.Tunnels, Tunnel{Gateway: l.Gateway.String(), Tunnel: l.Tunnel, Ends: l.End.UTC()})
	}
	for _, b := range s.Named {
		v.Named = append(v.Named, Backend(b))
	}
	if guests != nil {
		v.Guests = &guests.Guests
	}
	return v
}

// checkFrontend has a frontend ready while its router serves. Without balancers it goes
// on for minutes, and so that is no reason not to be.
func checkFrontend(shown *admin.Snapshot, s frontend.Status, now time.Time) {
	shown.Need("router", s.RouterUp, "session held", "no session: "+orElse(s.RouterError, "still connecting"))
	switch {
	case !s.Serving && s.Seq == 0:
		shown.Need("leaseset", false, "", "none yet: it comes from the balancers, once the router has tunnels")
	case !s.Serving:
		shown.Need("leaseset", false, "", "the router has none in this session yet")
	default:
		valid := now.Before(s.Expires)
		shown.Brief = fmt.Sprintf("inbound tunnels: %d, LeaseSet expires in %s", len(s.Pool), left(s.Expires, now))
		shown.Need("leaseset", valid, fmt.Sprintf("seq %d of term %d, expires in %s", s.Seq, s.Term, left(s.Expires, now)),
			fmt.Sprintf("the last one, seq %d, has expired: no balancer has sent another", s.Seq))
	}
	shown.Need("drain", !s.Draining, "none", "taken out of service, until "+s.DrainUntil.UTC().Format(time.RFC3339))
	shown.Advise("tunnels", len(s.Pool) > 0, fmt.Sprintf("%d inbound", len(s.Pool)), "the router has no inbound tunnels: it was started just now, or finds no peers")
	shown.Advise("balancer", s.Balancer != "", "attached to "+s.Balancer, "none can be reached: it serves on with what it has, for about ten minutes")
	shown.Advise("reserve", !s.OnReserve, "not in use", "the router goes on with the reserve until it expires: no balancer has sent a LeaseSet for long")
	shown.Advise("fence", s.FenceError == "", "kept", "a restart could forget which LeaseSets are older: "+s.FenceError)
}

func measureFrontend(shown *admin.Snapshot, s frontend.Status) {
	for metric, is := range map[string]bool{
		"onelease_frontend_router_up": s.RouterUp, "onelease_frontend_serving": s.Serving,
		"onelease_frontend_attached": s.Balancer != "", "onelease_frontend_draining": s.Draining,
		"onelease_frontend_on_reserve": s.OnReserve,
	} {
		admin.MeasureIf(shown, metric, is)
	}
	for metric, count := range map[string]uint64{
		"onelease_frontend_tunnels": uint64(len(s.Pool)), "onelease_frontend_backends": uint64(s.Backends),
		"onelease_frontend_leaseset_term": s.Term, "onelease_frontend_leaseset_seq": s.Seq,
		"onelease_frontend_packets_in_total": s.PacketsIn, "onelease_frontend_packets_out_total": s.PacketsOut,
		"onelease_frontend_dropped_total": s.Dropped, "onelease_frontend_orphaned_total": s.Orphaned,
		"onelease_frontend_unserved_total": s.Unserved,
	} {
		admin.Measure(shown, metric, count)
	}
	var ends []time.Time
	for _, l := range s.Pool {
		ends = append(ends, l.End)
	}
	if len(ends) > 0 {
		admin.MeasureTime(shown, "onelease_frontend_tunnels_end_timestamp_seconds", slices.MaxFunc(ends, time.Time.Compare))
	}
	admin.MeasureTime(shown, "onelease_frontend_leaseset_expires_timestamp_seconds", s.Expires)
}

// left is how long it is until then, in words.
func left(until, now time.Time) string { return until.Sub(now).Round(time.Second).String() }

func orElse(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

func timeOrNil(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}
