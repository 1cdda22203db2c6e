package raftstate

import (
	"context"
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/onelease/onelease/raftstate/ledger/ledgertest"
)

// tcpCluster opens nodes with directories over loopback TCP, and waits for the
// first to lead with all the others.
func tcpCluster(t testing.TB, n int, preset Preset) []*Store {
	t.Helper()
	var stores []*Store
	for i := range n {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		addr := listener.Addr().String()
		transport, err := NewTransport(TransportConfig{
			ID: nodeID(i), Cluster: testCluster, Advertise: addr, Listener: listener, Logger: quiet,
			Dial: func(ctx context.Context, addr string) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, "tcp", addr)
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		s, err := Open(Config{ID: nodeID(i), Dir: t.TempDir(), Transport: transport, Bootstrap: i == 0, Preset: preset, Logger: quiet})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		stores = append(stores, s)
		if i == 0 {
			waitLeader(t, s)
		} else if err := stores[0].AddMember(t.Context(), nodeID(i), addr, true); err != nil {
			t.Fatal(err)
		}
	}
	return stores
}

// The time is logged, not tested, and the preset WAN: a busy machine elects late, and with
// LAN at times when nobody was lost.
func TestLeaderLostOverTCP(t *testing.T) {
	stores := tcpCluster(t, 3, WAN())
	apply(t, stores[0], ledgertest.Record(1, ""))
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	start := time.Now()
	stores[0].Close()
	next, err := nextLeader(ctx, stores[1:])
	if err != nil {
		t.Fatal(err)
	}
	if err := next.Barrier(ctx); err != nil {
		t.Fatal(err)
	}
	apply(t, next, ledgertest.Record(2, ""))
	t.Logf("first commit of the next leader %v after the last one's end", time.Since(start))
}

// nextLeader waits, as a balancer does, for one of two to lead.
func nextLeader(ctx context.Context, of []*Store) (*Store, error) {
	for {
		a, b := of[0].LeaderChanged(), of[1].LeaderChanged()
		for _, s := range of {
			if s.Leader().Self {
				return s, nil
			}
		}
		select {
		case <-a:
		case <-b:
		case <-ctx.Done():
			return nil, fmt.Errorf("no leader: %w", ctx.Err())
		}
	}
}
