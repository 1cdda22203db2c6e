package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/onelease/onelease/balancer/controlpb"
	"github.com/onelease/onelease/i2p"
)

// widest is what fits a terminal that is not wide.
const widest = 100

// fourRouters is what a leader knows of three members and a publisher with long names, one
// of which is away.
func fourRouters(t *testing.T, now time.Time) *controlpb.Status {
	t.Helper()
	keys, err := i2p.GenerateKeys()
	if err != nil {
		t.Fatal(err)
	}
	merged := &i2p.LeaseSet2{
		Destination: keys.Destination, Published: now.Add(-5 * time.Second), Expires: now.Add(145 * time.Second),
		Keys: []i2p.EncryptionKey{{Type: i2p.CryptoX25519, Key: make([]byte, 32)}},
	}
	s := &controlpb.Status{
		Leader: true, LeaderName: "balancer-1", LeaderAddress: "10.0.0.1:7660", Term: 12, Destination: keys.Destination.Base32(), Publishes: 345,
		Publication: &controlpb.Publication{AtMs: now.UnixMilli() - 5000, Publishers: []string{"router-falkenstein-4"}, TakenBy: []string{"router-falkenstein-4"}, TakenMs: now.UnixMilli() - 4990},
		NetDb:       &controlpb.NetDB{AtMs: now.UnixMilli() - 20_000, By: "router-falkenstein-2", Found: true, FoundMs: now.UnixMilli() - 20_000},
	}
	for i := range byte(4) {
		f := &controlpb.FrontendStatus{
			Name: fmt.Sprintf("router-falkenstein-%d", i+1), Member: i < 3, Publisher: i == 3, Attached: i != 2, Up: i != 2, Listed: 3, InstalledSeq: 123456,
			ClockKnown: true, ClockOffMs: -40, Own: &controlpb.LeaseSetStatus{Seq: 123456, Published: now.Unix() - 8, Expires: now.Unix() + 92, Leases: 3},
			Draining: i == 1, DrainUntilMs: now.Add(9*time.Minute + 58*time.Second).UnixMilli(),
		}
		for n := range byte(3) {
			l := i2p.Lease{Gateway: i2p.Hash{i, n}, Tunnel: uint32(n), End: now.Add(time.Duration(i+1) * time.Minute).Truncate(time.Second)}
			f.Leases = append(f.Leases, &controlpb.Lease{Gateway: l.Gateway[:], TunnelId: l.Tunnel, EndMs: l.End.UnixMilli()})
			if i < 3 {
				merged.Leases = append(merged.Leases, l)
			}
		}
		s.Frontends = append(s.Frontends, f)
	}
	s.Frontends[2].Error = "the last LeaseSet was refused"
	raw, err := merged.Sign(keys)
	if err != nil {
		t.Fatal(err)
	}
	s.Merged = &controlpb.LeaseSetStatus{Term: 12, Seq: 123456, Published: now.Unix() - 5, Expires: now.Unix() + 145, Leases: 9, Routers: 3, LeaseSet: raw}
	return s
}

// What people see fits a terminal, and has all that is asked of a status.
func TestClusterStatusText(t *testing.T) {
	now := time.Now().Truncate(time.Second) // as a LeaseSet's dates are
	var text strings.Builder
	statusOf(fourRouters(t, now), now).text(&text)
	for _, line := range strings.Split(text.String(), "\n") {
		if len(line) > widest && !strings.HasPrefix(line, "[!]") {
			t.Errorf("%d columns: %s", len(line), line)
		}
	}
	for _, want := range []string{
		"Leader       balancer-1 10.0.0.1:7660\n", "LeaseSet     9 leases of 3 routers, 5 s old, seq 123456 of term 12\n",
		"Published    5s ago, given to the routers of router-falkenstein-4\n", "netDB        found by router-falkenstein-2, 20s ago\n",
		"drains for 9m", "router-falkenstein-3: the last LeaseSet was refused\n", "+0.0 s", "  no\n",
		"\n[!] frontends: 3 of 4 are attached and have their router; router-falkenstein-3 is away\n",
	} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("no %q", want)
		}
	}
	if t.Failed() {
		t.Log("\n" + text.String())
	}
}

// JSON has each tunnel, with whether it is listed, and what is well and what is not.
func TestClusterStatusJSON(t *testing.T) {
	now := time.Now().Truncate(time.Second) // as a LeaseSet's dates are
	text, err := json.Marshal(statusOf(fourRouters(t, now), now))
	if err != nil {
		t.Fatal(err)
	}
	v := decode[statusView](t, string(text))
	if v.well() || v.NetDB == nil || !v.NetDB.Found || v.Publication == nil || len(v.Publication.GivenTo) != 1 || v.Leader != "balancer-1" {
		t.Errorf("%s", text)
	}
	for i, f := range v.Frontends {
		for _, tunnel := range f.Tunnels {
			if tunnel.Listed != (i < 3) || tunnel.Gateway == "" || time.Until(tunnel.Ends) < 50*time.Second {
				t.Errorf("tunnel of %s: %+v", f.Name, tunnel)
			}
		}
		if len(f.Tunnels) != 3 || f.Own == nil || (f.ClockOffMS == nil) != (i == 2) {
			t.Errorf("%+v", f)
		}
	}
	if !statusOf(&controlpb.Status{Leader: true, Frontends: []*controlpb.FrontendStatus{{Attached: true, Up: true}}, Merged: &controlpb.LeaseSetStatus{Expires: now.Unix() + 9}}, now).well() {
		t.Error("a leader of an earlier version, which tells less, is not well")
	}
}

// watches has the status of the cluster printed again and again, until it is told to end.
func (s *site) watches() {
	s.t.Helper()
	fails(s.t, exitUsage, []string{"--check is for one look"}, "", append([]string{"cluster", "status", "--watch", "--check"}, s.access("b1")...)...)
	fails(s.t, exitUsage, []string{"--every 0s"}, "", append([]string{"cluster", "status", "--every", "0s"}, s.access("b1")...)...)
	watch := program(s.t, append([]string{"cluster", "status", "--watch", "--every", "10ms"}, s.access("b1")...)...)
	out, err := watch.StdoutPipe()
	if err == nil {
		err = watch.Start()
	}
	if err != nil {
		s.t.Fatal(err)
	}
	times := 0
	for lines := bufio.NewScanner(out); times < 2 && lines.Scan(); {
		if strings.HasPrefix(lines.Text(), "[!] frontends: ") {
			times++
		}
	}
	watch.Process.Signal(syscall.SIGTERM)
	_, _ = io.Copy(io.Discard, out)
	if err := watch.Wait(); err != nil || times < 2 {
		s.t.Errorf("shown %d times, %v", times, err)
	}
}
