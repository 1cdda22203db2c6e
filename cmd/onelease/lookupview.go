package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/onelease/onelease/i2p"
)

// How a router's lookup ended.
const (
	resultFound      = "found"
	resultNoLeaseSet = "no_leaseset" // it knows the Destination, and the netDB has no LeaseSet
	resultNotFound   = "not_found"
	resultFailed     = "failed" // it could not be asked
)

// A lookupView is what was found.
type lookupView struct {
	Name          string           `json:"name"`        // as asked for; b32 in place of a Destination
	Address       string           `json:"address"`     // b32; empty: no router knows the name
	Destination   string           `json:"destination"` // base64; empty: nobody has it
	SignatureType string           `json:"signature_type"`
	Routers       []routerFound    `json:"routers"`
	Floodfills    []floodfillFound `json:"floodfills"`
	Cluster       *clusterFound    `json:"cluster"` // null: none was asked
}

// A routerFound is what one router says.
type routerFound struct {
	Router  string      `json:"router"`
	Result  string      `json:"result"`  // found, no_leaseset, not_found or failed
	Address string      `json:"address"` // b32: address books may differ
	Options i2p.Mapping `json:"options"` // of the LeaseSet; null: the router does not tell
	TookMS  int64       `json:"took_ms"`
	Error   string      `json:"error"`
}

// A floodfillFound is what one webconsole shows.
type floodfillFound struct {
	Console   string      `json:"console"`
	Floodfill bool        `json:"floodfill"`
	LeaseSet  *storedView `json:"leaseset"` // null: it holds none
	Error     string      `json:"error"`
}

// A storedView is a LeaseSet in the netDB. When it was published i2pd does not show.
type storedView struct {
	Type    string        `json:"type"`
	Expires time.Time     `json:"expires"`
	Valid   bool          `json:"valid"` // the router finds its signature good
	Leases  []storedLease `json:"leases"`
}

type storedLease struct {
	Gateway  string    `json:"gateway"` // hash of the router, base64
	Tunnel   uint32    `json:"tunnel"`
	End      time.Time `json:"end"`
	Frontend string    `json:"frontend"` // whose it is; empty: nobody's, or no cluster was asked

	tunnel tunnel
}

// A clusterFound is how that compares with a cluster.
type clusterFound struct {
	Destination string `json:"destination"` // b32
	Ours        bool   `json:"ours"`
	Strange     int    `json:"strange"` // leases that are no frontend's
}

func (v *lookupView) learn(dest i2p.Destination) {
	v.Address, v.Destination, v.SignatureType = dest.Base32(), dest.Base64(), dest.SigType().Code()
}

// outcome is nil if somebody has the Destination now.
func (v *lookupView) outcome(ctx context.Context) error {
	answered := false
	for _, r := range v.Routers {
		if r.Result == resultFound {
			return nil
		}
		answered = answered || r.Result != resultFailed
	}
	for _, f := range v.Floodfills {
		if f.LeaseSet != nil {
			return nil
		}
	}
	if ctx.Err() != nil {
		return errInterrupted
	}
	hint := "it is not published, or not any more"
	if !answered {
		hint = "name routers by --router that run and have I2CP on, as in [i2cp] of i2pd.conf"
	}
	return fmt.Errorf("%s was not found: %s", v.Name, hint)
}

func (v lookupView) text(w io.Writer) {
	if v.Address != "" {
		fmt.Fprintf(w, "Destination  %s%s\n", v.Address, either(v.SignatureType == "", "", ", "+v.SignatureType))
	}
	if v.Cluster != nil {
		fmt.Fprintf(w, "Cluster      %s\n", v.Cluster.describe())
	}
	rows := [][]string{{"ROUTER", "RESULT", "OPTIONS", "TOOK"}}
	for _, r := range v.Routers {
		rows = append(rows, []string{r.Router, r.describe(v.Address), describeOptions(r), fmt.Sprintf("%.1f s", float64(r.TookMS)/1000)})
	}
	table(w, rows)
	for _, r := range v.Routers {
		if r.Error != "" {
			fmt.Fprintf(w, "%s: %s\n", r.Router, r.Error)
		}
	}
	for _, f := range v.Floodfills {
		fmt.Fprintf(w, "\nWebconsole %s: %s\n", f.Console, f.describe(time.Now()))
		if f.LeaseSet != nil && len(f.LeaseSet.Leases) > 0 {
			f.LeaseSet.leases(w, v.Cluster != nil, time.Now())
		}
	}
}

func (r routerFound) describe(address string) string {
	switch r.Result {
	case resultFailed:
		return "failed"
	case resultNotFound:
		return "not found"
	}
	words := either(r.Result == resultFound, "found", "known, but the netDB has no LeaseSet")
	return words + either(r.Address == address, "", ", as another: "+r.Address)
}

func describeOptions(r routerFound) string {
	if r.Options == nil {
		return either(r.Result == resultFound, "not told", "")
	}
	var all []string
	for _, key := range slices.Sorted(maps.Keys(r.Options)) {
		all = append(all, strconv.Quote(key+"="+r.Options[key])) // a stranger's words
	}
	return either(len(all) == 0, "none", strings.Join(all, " "))
}

func (f floodfillFound) describe(now time.Time) string {
	switch {
	case f.Error != "":
		return f.Error
	case f.LeaseSet != nil:
		ls := f.LeaseSet
		return fmt.Sprintf("%s of %s, %s%s", ls.Type, counted(uint32(len(ls.Leases)), "lease"), ends(ls.Expires, now), either(ls.Valid, "", ", and its signature is BAD"))
	case !f.Floodfill:
		return "no floodfill, so it holds no LeaseSets of others: ask one that is"
	}
	return "it holds none: this one is for other floodfills, or is not published"
}

func (ls *storedView) leases(w io.Writer, compared bool, now time.Time) {
	rows := [][]string{{"GATEWAY", "TUNNEL", "END", "FRONTEND"}}
	for _, l := range ls.Leases {
		whose := either(compared, "nobody's", "")
		rows = append(rows, []string{l.Gateway, strconv.FormatUint(uint64(l.Tunnel), 10), ends(l.End, now), either(l.Frontend == "", whose, l.Frontend)})
	}
	table(w, rows)
}

// ends says how long something still is good.
func ends(at, now time.Time) string {
	if left := at.Sub(now); left > 0 {
		return "ends in " + span(left)
	}
	return "ended " + span(now.Sub(at)) + " ago"
}

func (c *clusterFound) describe() string {
	switch {
	case !c.Ours:
		return "of another Destination, " + c.Destination
	case c.Strange > 0:
		return fmt.Sprintf("this is its Destination, and %s in the netDB of none of its frontends: just ended, or another machine publishes for the same keys", counted(uint32(c.Strange), "lease"))
	}
	return "this is its Destination"
}

var _ view = lookupView{}
