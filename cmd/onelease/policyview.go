package main

import (
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/onelease/onelease/balancer/cluster/clusterpb"
)

// A policyView is a policy as it was set: zero values are the defaults.
type policyView struct {
	Tunnels        uint32 `json:"tunnels"`
	Hops           int32  `json:"hops"`
	MergedLife     lapse  `json:"merged_life"`
	MergedRefresh  lapse  `json:"merged_refresh"`
	OwnLife        lapse  `json:"own_life"`
	OwnRefresh     lapse  `json:"own_refresh"`
	Rotation       string `json:"rotation"`
	DrainLimit     lapse  `json:"drain_limit"`
	HandOverKeys   bool   `json:"hand_over_keys"`
	DelegationLife lapse  `json:"delegation_life"`
}

// A lapse is a duration that is text in JSON, such as 1m30s.
type lapse time.Duration

// MarshalText is for JSON.
func (l lapse) MarshalText() ([]byte, error) { return []byte(time.Duration(l).String()), nil }

func (l lapse) ms() int64 { return time.Duration(l).Milliseconds() }

func lapseOf(ms int64) lapse { return lapse(time.Duration(ms) * time.Millisecond) }

// flags has a flag for each field of v, and returns what each of them sets in
// another.
func (v *policyView) flags(cmd *cobra.Command) map[string]func(*policyView) {
	f := cmd.Flags()
	lapses := func(l *lapse, name, usage string) { f.DurationVar((*time.Duration)(l), name, 0, usage) }
	f.Uint32Var(&v.Tunnels, "tunnels", 0, "inbound tunnels that each router builds: 1 to 16")
	f.Int32Var(&v.Hops, "hops", 0, "hops of each tunnel: 1 to 7, or -1 for none, which hides nothing")
	lapses(&v.MergedLife, "merged-life", "how long a lease lives in the merged LeaseSet at most")
	lapses(&v.MergedRefresh, "merged-refresh", "how often the merged LeaseSet is published when nothing changes")
	lapses(&v.OwnLife, "own-life", "how long a lease lives in a member's own LeaseSet at most")
	lapses(&v.OwnRefresh, "own-refresh", "how often own LeaseSets are renewed when nothing changes")
	f.StringVar(&v.Rotation, "rotation", "", "`when` a lost member begins a key epoch: never, after-hello or at-once")
	lapses(&v.DrainLimit, "drain-limit", "how long a drained router serves on")
	f.BoolVar(&v.HandOverKeys, "hand-over-keys", false, "let backends have the Destination's own signing key")
	lapses(&v.DelegationLife, "delegation-life", "how long a backend's permission to sign is good")
	return map[string]func(*policyView){
		"tunnels":         func(p *policyView) { p.Tunnels = v.Tunnels },
		"hops":            func(p *policyView) { p.Hops = v.Hops },
		"merged-life":     func(p *policyView) { p.MergedLife = v.MergedLife },
		"merged-refresh":  func(p *policyView) { p.MergedRefresh = v.MergedRefresh },
		"own-life":        func(p *policyView) { p.OwnLife = v.OwnLife },
		"own-refresh":     func(p *policyView) { p.OwnRefresh = v.OwnRefresh },
		"rotation":        func(p *policyView) { p.Rotation = v.Rotation },
		"drain-limit":     func(p *policyView) { p.DrainLimit = v.DrainLimit },
		"hand-over-keys":  func(p *policyView) { p.HandOverKeys = v.HandOverKeys },
		"delegation-life": func(p *policyView) { p.DelegationLife = v.DelegationLife },
	}
}

func policyOf(p *clusterpb.Policy) policyView {
	return policyView{
		Tunnels: p.GetTunnels(), Hops: p.GetHops(),
		MergedLife: lapseOf(p.GetMergedLifeMs()), MergedRefresh: lapseOf(p.GetMergedRefreshMs()),
		OwnLife: lapseOf(p.GetOwnLifeMs()), OwnRefresh: lapseOf(p.GetOwnRefreshMs()),
		Rotation: p.GetRotation(), DrainLimit: lapseOf(p.GetDrainLimitMs()),
		HandOverKeys: p.GetHandOverKeys(), DelegationLife: lapseOf(p.GetDelegationLifeMs()),
	}
}

func (v policyView) message() *clusterpb.Policy {
	return &clusterpb.Policy{
		Tunnels: v.Tunnels, Hops: v.Hops,
		MergedLifeMs: v.MergedLife.ms(), MergedRefreshMs: v.MergedRefresh.ms(),
		OwnLifeMs: v.OwnLife.ms(), OwnRefreshMs: v.OwnRefresh.ms(),
		Rotation: v.Rotation, DrainLimitMs: v.DrainLimit.ms(),
		HandOverKeys: v.HandOverKeys, DelegationLifeMs: v.DelegationLife.ms(),
	}
}

func (v policyView) text(w io.Writer) {
	rows := [][]string{}
	row := func(name string, value any, unset bool) {
		rows = append(rows, []string{name, either(unset, "default", fmt.Sprint(value))})
	}
	times := func(name string, l lapse) { row(name, time.Duration(l), l == 0) }
	row("tunnels", v.Tunnels, v.Tunnels == 0)
	row("hops", v.Hops, v.Hops == 0)
	times("merged-life", v.MergedLife)
	times("merged-refresh", v.MergedRefresh)
	times("own-life", v.OwnLife)
	times("own-refresh", v.OwnRefresh)
	row("rotation", v.Rotation, v.Rotation == "")
	times("drain-limit", v.DrainLimit)
	row("hand-over-keys", v.HandOverKeys, !v.HandOverKeys)
	times("delegation-life", v.DelegationLife)
	table(w, rows)
}

var _ view = policyView{}
