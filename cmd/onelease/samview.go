package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// A samView says where a bridge is, and what there is to reach.
type samView struct {
	SAM []string `json:"sam"`
	UDP string   `json:"udp,omitempty"`
	// Names are host names of an embedded network, with their b32 addresses.
	Names map[string]string `json:"names,omitempty"`
}

func (v samView) text(w io.Writer) {
	fmt.Fprintf(w, "SAM 3.3 at %s", strings.Join(v.SAM, ", "))
	if v.UDP != "" {
		fmt.Fprintf(w, ", datagrams at %s", v.UDP)
	}
	fmt.Fprintln(w, ".")
	if len(v.Names) == 0 {
		return
	}
	fmt.Fprintln(w, "Sites on the embedded network:")
	for _, name := range slices.Sorted(maps.Keys(v.Names)) {
		fmt.Fprintf(w, "  %-16s %s\n", name, v.Names[name])
	}
}
