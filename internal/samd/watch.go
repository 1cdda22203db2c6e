package samd

import (
	"fmt"

	"github.com/onelease/onelease"
	"github.com/onelease/onelease/internal/admin"
	"github.com/onelease/onelease/internal/routers"
	"github.com/onelease/onelease/plugins/sambridge"
)

// A Status is how a bridge is, as JSON has it. It names no client, session or
// Destination.
type Status struct {
	SAM          []string       `json:"sam"`
	UDP          string         `json:"udp"` // empty: no such port
	Routers      []RouterStatus `json:"routers"`
	Destinations int            `json:"destinations"`
	Connections  int            `json:"connections"` // of clients, with those that are streams
	Sessions     map[string]int `json:"sessions"`    // by style
	Streams      int            `json:"streams"`
}

// A RouterStatus is what the bridge knows of a router, or of the frontend beside it.
type RouterStatus struct {
	Name         string   `json:"name"`
	Roles        []string `json:"roles"`
	Up           bool     `json:"up"`
	Destinations int      `json:"destinations"`
}

// Status is how it is now.
func (b *Bridge) Status() Status { return b.statusOf(b.bridge.Status(), b.hosting.Routers()) }

func (b *Bridge) statusOf(bridge sambridge.Status, hosts []onelease.RouterStatus) Status {
	s := Status{
		SAM: b.Addrs(), UDP: b.UDPAddr(), Destinations: b.hosting.Destinations(),
		Connections: bridge.Conns, Sessions: bridge.Sessions, Streams: bridge.Streams, Routers: []RouterStatus{},
	}
	for _, r := range hosts {
		s.Routers = append(s.Routers, RouterStatus{r.Name, b.rolesOf(r.Name), r.Up, r.Destinations})
	}
	return s
}

// Watch is what there is to see of the bridge.
func (b *Bridge) Watch() *admin.Snapshot {
	bridge, hosts := b.bridge.Status(), b.hosting.Routers()
	s := &admin.Snapshot{Role: admin.RoleSAM, Status: b.statusOf(bridge, hosts)}
	s.Brief = fmt.Sprintf("%d Destinations, %d connections, %d streams", b.hosting.Destinations(), bridge.Conns, bridge.Streams)
	b.checkRouters(s, hosts)
	for _, r := range hosts {
		admin.MeasureIf(s, "onelease_sam_router_up", r.Up, r.Name)
		admin.Measure(s, "onelease_sam_router_destinations", r.Destinations, r.Name)
	}
	admin.Measure(s, "onelease_sam_destinations", b.hosting.Destinations())
	measureBridge(s, bridge)
	return s
}

// checkRouters has a bridge ready while a new session could be served and found.
func (b *Bridge) checkRouters(s *admin.Snapshot, hosts []onelease.RouterStatus) {
	up := map[string]int{}
	for _, r := range hosts {
		if r.Up {
			for _, role := range b.rolesOf(r.Name) {
				up[role]++
			}
		}
		s.Advise("router "+r.Name, r.Up, "up", "cannot be reached: does it run, and its I2CP?")
	}
	members, publishers := up[routers.Member], up[routers.Publisher]
	s.Need("members", members > 0, fmt.Sprintf("%d up", members), "none is up: no session can be served")
	s.Need("publishers", publishers > 0, fmt.Sprintf("%d up", publishers), "none is up: nobody can find new sessions")
}

func (b *Bridge) rolesOf(name string) (roles []string) {
	for _, r := range b.cfg.Routers {
		if r.Name == name {
			roles = append(roles, r.Roles...)
		}
	}
	for _, f := range b.cfg.Frontends {
		if f.Name == name {
			roles = append(roles, f.Roles...)
		}
	}
	for _, r := range b.cfg.Embedded {
		if r.Name == name && r.Member {
			roles = append(roles, routers.Member)
		}
		if r.Name == name && r.Publisher {
			roles = append(roles, routers.Publisher)
		}
	}
	return roles
}

func measureBridge(s *admin.Snapshot, b sambridge.Status) {
	for style, count := range b.Sessions {
		admin.Measure(s, "onelease_sam_sessions", count, style)
	}
	for metric, count := range map[string]uint64{
		"onelease_sam_connections": uint64(b.Conns), "onelease_sam_streams": uint64(b.Streams),
		"onelease_sam_sessions_created_total": b.Created, "onelease_sam_streams_connected_total": b.Connected,
		"onelease_sam_streams_accepted_total": b.Accepted, "onelease_sam_streams_refused_total": b.RefusedStreams,
		"onelease_sam_forwards_failed_total": b.ForwardsFailed, "onelease_sam_connections_refused_total": b.RefusedConns,
		"onelease_sam_connections_evicted_total": b.Evicted, "onelease_sam_wrong_passwords_total": b.WrongPasswords,
		"onelease_sam_datagrams_delivered_total": b.DeliveredDatagrams, "onelease_sam_datagrams_dropped_total": b.DroppedDatagrams,
		"onelease_sam_datagrams_sent_total": b.SentDatagrams, "onelease_sam_datagrams_unsent_total": b.UnsentDatagrams,
		"onelease_sam_datagrams_bad_total": b.BadDatagrams,
	} {
		admin.Measure(s, metric, count)
	}
}
