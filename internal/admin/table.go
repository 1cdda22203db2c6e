package admin

import "slices"

// Roles of nodes.
const (
	RoleFrontend = "frontend"
	RoleBalancer = "balancer"
	RoleBackend  = "backend"
	RoleSAM      = "sam"
	RoleUp       = "up"
)

// A Group is the metrics of a role; Role is empty for those that all have.
type Group struct {
	Role    string
	Metrics []Metric
}

// Groups are all metrics there are, in the order of docs/metrics.md.
var Groups = []Group{
	{"", commonMetrics},
	{RoleFrontend, slices.Concat(frontendMetrics, guestMetrics)},
	{RoleBalancer, slices.Concat(balancerMetrics, leaderMetrics)},
	{RoleBackend, backendMetrics},
	{RoleSAM, samMetrics},
	{RoleUp, upMetrics()},
}

func gauge(name, help string, labels ...string) Metric {
	return Metric{Name: name, Labels: labels, Help: help}
}

func counter(name, help string, labels ...string) Metric {
	return Metric{Name: name, Counter: true, Labels: labels, Help: help}
}

var commonMetrics = []Metric{
	gauge("onelease_node_info", "Always 1; the labels say what the node is.", "role", "name"),
	gauge("onelease_ready", "1 while the node does its work, as /readyz says."),
	gauge("onelease_check_ok", "1 while the check of /readyz is passed, those included that are no reason not to be ready.", "check"),
}

var frontendMetrics = []Metric{
	gauge("onelease_frontend_router_up", "1 while the router holds our session."),
	gauge("onelease_frontend_serving", "1 while the router has a LeaseSet from us as well."),
	gauge("onelease_frontend_attached", "1 while the frontend is attached to the leading balancer."),
	gauge("onelease_frontend_draining", "1 while the leader takes the router out of service."),
	gauge("onelease_frontend_on_reserve", "1 while no balancer has sent a LeaseSet for long, and the router goes on with the reserve."),
	gauge("onelease_frontend_tunnels", "The router's inbound tunnels."),
	gauge("onelease_frontend_tunnels_end_timestamp_seconds", "When the last of those tunnels ends; absent without any."),
	gauge("onelease_frontend_leaseset_expires_timestamp_seconds", "When the newest LeaseSet expires; absent before the first."),
	gauge("onelease_frontend_leaseset_term", "Term of the newest LeaseSet."),
	gauge("onelease_frontend_leaseset_seq", "Sequence number of the newest LeaseSet."),
	gauge("onelease_frontend_backends", "SAM sessions of backends that are attached."),
	counter("onelease_frontend_packets_in_total", "Packets that came from the router."),
	counter("onelease_frontend_packets_out_total", "Packets that were given to the router."),
	counter("onelease_frontend_dropped_total", "Packets that came in and no backend took, or that could not be given out."),
	counter("onelease_frontend_orphaned_total", "Those dropped that were of a stream whose backend is not attached."),
	counter("onelease_frontend_unserved_total", "Those dropped that would have begun a stream, while no backend took any."),
}

// guestMetrics are there with --guests.
var guestMetrics = []Metric{
	gauge("onelease_frontend_guests", "Destinations of guests on this router (--guests only)."),
	gauge("onelease_frontend_guests_lingering", "Those whose owner, a bridge or a backend, is not connected (--guests only)."),
	counter("onelease_frontend_guests_refused_total", "Connections and guests that were not let in (--guests only)."),
}

var balancerMetrics = []Metric{
	gauge("onelease_balancer_able", "1 while the balancer has the keys and could lead."),
	gauge("onelease_balancer_leads", "1 while the balancer leads and works. The sum over all balancers is to be 1."),
	gauge("onelease_balancer_leader_known", "1 while the balancer knows of a leader."),
	gauge("onelease_balancer_voters", "Balancers with a vote, as this one knows the cluster."),
	gauge("onelease_balancer_generation_timestamp_seconds", "When the cluster's state was made or last restored; absent before."),
	gauge("onelease_balancer_issued_seq", "Sequence number of the last LeaseSet that was issued, of any kind, as this balancer knows."),
	gauge("onelease_balancer_issued_term", "Term of that LeaseSet."),
	gauge("onelease_balancer_key_epoch", "Number of the X25519 key of the LeaseSets."),
}

// leaderMetrics are those of the balancer that leads.
var leaderMetrics = []Metric{
	counter("onelease_balancer_publishes_total", "Merged LeaseSets that were sent to publishers by this leader (the leader only)."),
	gauge("onelease_balancer_leaseset_leases", "Leases of the merged LeaseSet (the leader only)."),
	gauge("onelease_balancer_leaseset_routers", "Routers that those leases are of (the leader only)."),
	gauge("onelease_balancer_leaseset_published_timestamp_seconds", "When the merged LeaseSet says that it was published (the leader only)."),
	gauge("onelease_balancer_leaseset_expires_timestamp_seconds", "When it expires (the leader only)."),
	gauge("onelease_balancer_publishers_given", "Publishers whose routers were given the merged LeaseSet (the leader only)."),
	gauge("onelease_balancer_netdb_found", "1 if the last lookup of the Destination by a frontend found it; absent before the first (the leader only)."),
	gauge("onelease_balancer_netdb_misses", "Lookups in a row that did not find it, 10 s apart at first (the leader only)."),
	gauge("onelease_balancer_netdb_looked_timestamp_seconds", "When the last lookup was answered (the leader only)."),
	gauge("onelease_balancer_refuge_until_timestamp_seconds", "Until when a refuge is listed in place of the members; absent if no member was lost just now (the leader only)."),
	gauge("onelease_balancer_frontend_attached", "1 while the frontend is attached (the leader only).", "frontend"),
	gauge("onelease_balancer_frontend_router_up", "1 while its router answers (the leader only).", "frontend"),
	gauge("onelease_balancer_frontend_draining", "1 while it is taken out of service (the leader only).", "frontend"),
	gauge("onelease_balancer_frontend_leases", "Its router's inbound tunnels (the leader only).", "frontend"),
	gauge("onelease_balancer_frontend_installed_seq", "Sequence number of the last LeaseSet that its router has installed (the leader only).", "frontend"),
	gauge("onelease_balancer_frontend_listed", "Its leases in the merged LeaseSet (the leader only).", "frontend"),
	gauge("onelease_balancer_frontend_tunnels_end_timestamp_seconds", "When the last of its router's tunnels ends; absent without any (the leader only).", "frontend"),
	gauge("onelease_balancer_frontend_clock_offset_seconds", "How far its clock is ahead of the leader's; absent while it is away (the leader only).", "frontend"),
}

var samMetrics = []Metric{
	gauge("onelease_sam_router_up", "1 while the router, or the frontend beside it, can be reached.", "router"),
	gauge("onelease_sam_router_destinations", "Destinations that have a session there, or are to get one.", "router"),
	gauge("onelease_sam_destinations", "Destinations that are open, those that open or close included."),
	gauge("onelease_sam_connections", "Connections of clients, streams among them."),
	gauge("onelease_sam_sessions", "Sessions, subsessions included.", "style"),
	gauge("onelease_sam_streams", "Streams that clients have."),
	counter("onelease_sam_sessions_created_total", "Sessions that clients created."),
	counter("onelease_sam_streams_connected_total", "Streams that clients began."),
	counter("onelease_sam_streams_accepted_total", "Streams that remotes began."),
	counter("onelease_sam_streams_refused_total", "Streams for which there was no place or no ACCEPT."),
	counter("onelease_sam_forwards_failed_total", "Streams whose server could not be reached."),
	counter("onelease_sam_connections_refused_total", "Connections for which there was no place."),
	counter("onelease_sam_connections_evicted_total", "Connections that had to go since they did not begin."),
	counter("onelease_sam_wrong_passwords_total", "HELLOs with a wrong password, or without one where it is needed."),
	counter("onelease_sam_datagrams_delivered_total", "Datagrams that clients were given."),
	counter("onelease_sam_datagrams_dropped_total", "Datagrams that a client did not take in time."),
	counter("onelease_sam_datagrams_sent_total", "Datagrams that were handed on for a client."),
	counter("onelease_sam_datagrams_unsent_total", "Datagrams that were not: no router was ready or fast enough, or nobody was found to send them to."),
	counter("onelease_sam_datagrams_bad_total", "Datagrams by UDP that made no sense, or named no session that their sender may use."),
}

// upMetrics are those of a node that has all parts: of each frontend, with its name, of the
// balancer, which leads, and of the backend.
func upMetrics() (all []Metric) {
	for _, m := range frontendMetrics {
		m.Labels = append([]string{"frontend"}, m.Labels...)
		all = append(all, m)
	}
	return slices.Concat(all, leaderMetrics, backendMetrics)
}
