package doctor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/internal/webconsole"
)

// A Frontend is one of a cluster, as its leader knows it.
type Frontend struct {
	Name string
	// Member, Publisher and Refuge are the roles of its router.
	Member, Publisher, Refuge bool
	// Up says that it is connected, and has a session; Error says why not.
	Up    bool
	Error string
	// Tunnels are the router's.
	Tunnels []Tunnel
}

// A Tunnel is an inbound one, and so a lease's.
type Tunnel struct {
	// Gateway is how an i2p.Hash prints.
	Gateway string
	ID      uint32
}

// ErrNotTold is Config.Cluster's where somebody leads, who does not tell this node.
var ErrNotTold = errors.New("a guest is not told how the cluster is: ask with an operator's directory")

// cluster asks the leader, and looks for the Destination's leases in floodfills.
func (r *run) cluster() {
	var frontends []Frontend
	asked := make(chan struct{})
	if r.cfg.Cluster == nil {
		close(asked)
	} else {
		on := cmp.Or(r.cfg.Dir, r.cfg.Site)
		r.start(checkCluster, on, func(ctx context.Context) []Result {
			defer close(asked)
			all, err := r.cfg.Cluster(ctx)
			if err != nil {
				return r.nobodyLeads(on, err)
			}
			frontends = all
			return judgeCluster(on, all)
		})
	}
	for hash := range r.destinations() {
		for _, console := range r.cfg.Consoles {
			r.start(checkLeases, console, func(ctx context.Context) []Result {
				leases, err := r.cfg.Stored(ctx, console, hash)
				if err != nil {
					return unknown(checkLeases, console, err.Error())
				}
				return judgeLeases(console, leases, frontends)
			}, asked)
			r.start(checkDuplicate, console, func(ctx context.Context) []Result {
				there, err := r.cfg.Hosted(ctx, console, hash)
				if err != nil {
					return unknown(checkDuplicate, console, err.Error())
				}
				return judgeHosted(console, hash.Base32(), there)
			})
		}
	}
}

// nobodyLeads says what it means that nobody has answered.
func (r *run) nobodyLeads(on string, err error) []Result {
	switch {
	case errors.Is(err, ErrNotTold):
		return unknown(checkCluster, on, err.Error())
	case r.cfg.Life == Running && r.cfg.Site != "":
		return bad("site-away", on, err.Error())
	case r.cfg.Life == Running:
		return bad("no-leader", on, err.Error())
	}
	return unknown(checkCluster, on, "nobody who leads could be asked, which is right if nothing runs: "+err.Error())
}

// judgeCluster is of the frontends that the leader knows, and their roles.
func judgeCluster(on string, all []Frontend) (results []Result) {
	var routers []Router
	for _, f := range all {
		routers = append(routers, Router{Name: f.Name, Addr: f.Name, Member: f.Member, Publisher: f.Publisher, Refuge: f.Refuge})
		if !f.Up {
			why := f.Error
			if why == "" {
				why = "it is not connected to the leader"
			}
			results = append(results, bad("frontend-away", f.Name, why)...)
		}
	}
	if len(results) == 0 {
		results = good(checkCluster, on, fmt.Sprintf("who leads has answered; frontends: %d, all with a session", len(all)))
	}
	return append(results, judgeRoles(routers, false)...)
}

// judgeLeases says whose the leases are that a floodfill has.
func judgeLeases(on string, leases []Tunnel, frontends []Frontend) []Result {
	of := map[Tunnel]string{}
	members := map[string]bool{} // that have tunnels
	for _, f := range frontends {
		for _, t := range f.Tunnels {
			of[t] = f.Name
			members[f.Name] = members[f.Name] || f.Member && !f.Refuge
		}
	}
	if len(of) == 0 {
		return unknown(checkLeases, on, fmt.Sprintf("leases: %d; whose they are only the setup can tell while it runs: give --dir", len(leases)))
	}
	strange, owners := 0, map[string]bool{}
	for _, t := range leases {
		if owner, ok := of[t]; ok {
			owners[owner] = true
		} else {
			strange++
		}
	}
	maps.DeleteFunc(members, func(_ string, is bool) bool { return !is })
	names := strings.Join(slices.Sorted(maps.Keys(owners)), ", ")
	found := fmt.Sprintf("leases: %d, of %s; of no frontend: %d", len(leases), names, strange)
	switch {
	case len(leases) > 0 && strange == len(leases):
		return bad("leases-strange", on, fmt.Sprintf("none of %d leases is a frontend's", len(leases)))
	case len(owners) == 1 && len(members) > 1:
		return bad("leases-own", on, found)
	}
	return good(checkLeases, on, found)
}

// stored reads the webconsole of an i2pd on this machine.
func stored(ctx context.Context, console string, hash i2p.Hash) (leases []Tunnel, err error) {
	page, err := webconsole.Get(ctx, console, time.Local)
	if err != nil {
		return nil, err
	}
	ls, ok := page.LeaseSets[hash]
	switch {
	case !page.Floodfill:
		return nil, fmt.Errorf("cannot be seen here: the router is no floodfill")
	case !ok:
		return nil, fmt.Errorf("cannot be seen here: this floodfill does not hold the LeaseSet, which few do")
	}
	for _, l := range ls.Leases {
		leases = append(leases, Tunnel{i2p.Hash(l.Gateway).String(), l.TunnelID})
	}
	return leases, nil
}

// judgeHosted says whether a router has the Destination without us.
func judgeHosted(on, address string, there bool) []Result {
	if there {
		return bad("duplicate-here", on, "one of its own tunnels, or a SAM program, has "+address)
	}
	return good(checkDuplicate, on, "none of its own tunnels has "+address+", nor a SAM program")
}

// hosted asks the webconsole of an i2pd on this machine.
func hosted(ctx context.Context, console string, hash i2p.Hash) (bool, error) {
	all, err := webconsole.GetHosted(ctx, console)
	return all[hash], err
}
