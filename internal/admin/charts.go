package admin

// A Kind says what of a metric is plotted.
type Kind string

// The kinds of charts.
const (
	// Level is a gauge: what it was on average.
	Level Kind = "level"
	// Rate is a counter: by how much it rose in a second.
	Rate Kind = "rate"
	// Count is a counter: by how much it rose in the time of a point.
	Count Kind = "count"
	// Changes is a gauge: how often it was another than before, but for the first time
	// that it was not 0.
	Changes Kind = "changes"
)

// A Chart is a row of the table of charts: what the page plots, of roles that have the
// metrics.
type Chart struct {
	// Name is for programs, Title for people, and Unit is what is counted.
	Name  string `json:"name"`
	Title string `json:"title"`
	Unit  string `json:"unit"`
	Kind  Kind   `json:"kind"`

	curves []curve
}

// A curve is a metric, and how to name it where a chart has several. One with labels is a
// line for each of their values, or the sum of them.
type curve struct {
	metric, name string
	sum          bool
}

// Charts are all that there are, in the order of the page.
var Charts = []Chart{
	{"ready", "Ready", "1 is yes, 0 is no", Level, []curve{{metric: "onelease_ready"}}},
	{"routers", "Routers up", "routers", Level, []curve{
		{metric: "onelease_frontend_router_up", name: "that hold a session", sum: true}, {metric: "onelease_balancer_frontend_router_up", name: "as frontends report", sum: true},
		{metric: "onelease_backend_frontend_up", name: "as links to frontends", sum: true}, {metric: "onelease_sam_router_up", name: "of the bridge", sum: true},
	}},
	{"leases", "Leases per router", "leases", Level, []curve{{metric: "onelease_balancer_frontend_leases"}}},
	{"tunnels", "Inbound tunnels", "tunnels", Level, []curve{{metric: "onelease_frontend_tunnels"}}},
	{"leaseset", "The merged LeaseSet", "leases, routers", Level, []curve{
		{metric: "onelease_balancer_leaseset_leases", name: "leases"}, {metric: "onelease_balancer_leaseset_routers", name: "routers"},
	}},
	{"publishes", "Publishes", "merged LeaseSets", Count, []curve{{metric: "onelease_balancer_publishes_total"}}},
	{"netdb", "Found in the netDB", "1 is yes, 0 is no", Level, []curve{{metric: "onelease_balancer_netdb_found"}}},
	{"failovers", "Failovers", "LeaseSets of another leader", Changes, []curve{
		{metric: "onelease_balancer_issued_term", name: "issued"}, {metric: "onelease_frontend_leaseset_term", name: "installed"},
	}},
	{"throughput", "Throughput of streams", "bytes a second", Rate, []curve{
		{metric: "onelease_streams_bytes_in_total", name: "in"}, {metric: "onelease_streams_bytes_out_total", name: "out"},
	}},
	{"packets", "Packets", "packets a second", Rate, []curve{
		{metric: "onelease_frontend_packets_in_total", name: "in"}, {metric: "onelease_frontend_packets_out_total", name: "out"}, {metric: "onelease_frontend_dropped_total", name: "dropped"},
	}},
	{"frontend-packets", "Packets per frontend", "packets a second", Rate, []curve{
		{metric: "onelease_backend_frontend_packets_in_total", name: "in"}, {metric: "onelease_backend_frontend_packets_out_total", name: "out"},
	}},
	{"datagrams", "Datagrams of clients", "datagrams a second", Rate, []curve{
		{metric: "onelease_sam_datagrams_sent_total", name: "sent"}, {metric: "onelease_sam_datagrams_delivered_total", name: "delivered"},
	}},
	{"streams", "Open streams", "streams", Level, []curve{{metric: "onelease_streams_open"}, {metric: "onelease_sam_streams", name: "of clients"}}},
	{"new-streams", "Streams begun", "streams", Count, []curve{
		{metric: "onelease_streams_accepted_total", name: "by remotes"}, {metric: "onelease_streams_dialled_total", name: "by services"},
		{metric: "onelease_sam_streams_accepted_total", name: "by remotes, to clients"}, {metric: "onelease_sam_streams_connected_total", name: "by clients"},
	}},
	{"remotes", "Remotes per frontend", "remotes", Level, []curve{{metric: "onelease_backend_frontend_remotes"}}},
	{"destinations", "Destinations per router", "Destinations", Level, []curve{{metric: "onelease_sam_router_destinations"}}},
	{"moves", "Remotes that lost their frontend, or moved", "remotes", Count, []curve{
		{metric: "onelease_backend_remotes_lost_total", name: "lost it"}, {metric: "onelease_backend_remotes_moved_total", name: "moved"},
	}},
	{"stalls", "Stalls", "remotes", Count, []curve{
		{metric: "onelease_backend_remotes_stalled_total", name: "not heard in time"}, {metric: "onelease_backend_stalls_resumed_total", name: "whose streams went on"},
		{metric: "onelease_backend_stalls_broken_total", name: "with a stream broken"}, {metric: "onelease_backend_stalls_unreachable_total", name: "not heard again"},
	}},
}

// A place is where in Charts a metric is.
type place struct{ chart, curve int }

// plotted are the places of each metric.
var plotted = placesOf(Charts)

func placesOf(charts []Chart) map[string][]place {
	places := map[string][]place{}
	for i, chart := range charts {
		for j, c := range chart.curves {
			places[c.metric] = append(places[c.metric], place{i, j})
		}
	}
	return places
}
