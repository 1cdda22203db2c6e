package i2pd

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/onelease/onelease/test/i2pd/samclient"
)

// TestNetwork is the harness's own proof, on one network, because starting it costs most.
func TestNetwork(t *testing.T) {
	n := Start(t, Config{Killable: []int{10, 11}})
	t.Logf("resident: %d KiB in all", residentKiB(t, n))
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	var a, b *samclient.Remote
	var open errgroup.Group
	open.Go(func() (err error) { a, err = n.Router(7).OpenRemote(ctx); return err })
	open.Go(func() (err error) { b, err = n.Router(8).OpenRemote(ctx); return err })
	if err := open.Wait(); err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	defer b.Close()
	t.Run("remotes exchange datagrams", func(t *testing.T) {
		exchange(ctx, t, a, b)
		exchange(ctx, t, b, a)
	})
	t.Run("netDB", func(t *testing.T) { checkNetDB(ctx, t, n, a.Hash()) })
	t.Run("stop and continue", func(t *testing.T) { checkStop(ctx, t, n.Router(11)) })
	t.Run("kill and restart", func(t *testing.T) { checkRestart(ctx, t, n.Router(10)) })
}

// exchange sends from one to the other until something arrives, and checks it.
func exchange(ctx context.Context, t *testing.T, from, to *samclient.Remote) {
	t.Helper()
	payload := bytes.Repeat([]byte("datagram "), 100)
	again := time.NewTicker(time.Second)
	defer again.Stop()
	for {
		if err := from.Send(to.Destination(), payload); err != nil {
			t.Fatal(err)
		}
		select {
		case d := <-to.Datagrams():
			if d.From != from.Destination() || !bytes.Equal(d.Payload, payload) {
				t.Fatalf("got %d bytes from %.20s", len(d.Payload), d.From)
			}
			return
		case <-again.C:
		case <-ctx.Done():
			t.Fatal(context.Cause(ctx))
		}
	}
}

// checkNetDB compares what floodfills hold with what must be true of any LeaseSet here:
// leases in the near future, through routers of this network.
func checkNetDB(ctx context.Context, t *testing.T, n *Network, hash [32]byte) {
	gateways := make(map[[32]byte]bool)
	for _, r := range n.Routers() {
		gateways[r.Hash()] = true
	}
	held := n.LookupLeaseSet(ctx, hash)
	if len(held) == 0 {
		t.Fatal("no floodfill holds the LeaseSet of an open remote")
	}
	for i, ls := range held {
		if ls.Hash != hash || ls.StoreType != 3 || !ls.Valid || len(ls.Leases) == 0 {
			t.Errorf("router %d holds %+v", i, ls)
		}
		for _, lease := range ls.Leases {
			left := time.Until(lease.End)
			if !gateways[lease.Gateway] || lease.TunnelID == 0 || left < 5*time.Minute || left > 12*time.Minute {
				t.Errorf("router %d holds lease %+v, %v left", i, lease, left)
			}
		}
	}
}

func checkStop(ctx context.Context, t *testing.T, r *Router) {
	if err := r.Stop(); err != nil {
		t.Fatal(err)
	}
	short, cancel := context.WithTimeout(ctx, 300*time.Millisecond)
	defer cancel()
	if _, err := r.LeaseSets(short); err == nil {
		t.Error("a stopped router answers")
	}
	if err := r.Continue(); err != nil {
		t.Fatal(err)
	}
	if _, err := r.LeaseSets(ctx); err != nil {
		t.Error(err)
	}
}

func checkRestart(ctx context.Context, t *testing.T, r *Router) {
	hash, pid := r.Hash(), r.Pid()
	r.Kill()
	if err := r.Crash(); err != nil {
		t.Errorf("our own kill counts as a crash: %v", err)
	}
	if err := dialable(ctx, r.I2CPAddr()); err == nil {
		t.Error("a killed router listens")
	}
	begin := time.Now()
	if err := r.Restart(ctx); err != nil {
		t.Fatal(err)
	}
	t.Logf("ready again after %.1f s", time.Since(begin).Seconds())
	info, err := os.ReadFile(r.infoPath())
	if err != nil {
		t.Fatal(err)
	}
	if now, err := identHash(info); err != nil || now != hash || r.Pid() == pid {
		t.Errorf("restart: hash %x, was %x, pid %d, was %d: %v", now, hash, r.Pid(), pid, err)
	}
}

// residentKiB adds up the resident memory of all routers.
func residentKiB(t *testing.T, n *Network) (sum int) {
	t.Helper()
	for _, r := range n.Routers() {
		text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(r.Pid()), "statm"))
		if err != nil {
			t.Fatal(err)
		}
		pages, err := strconv.Atoi(strings.Fields(string(text))[1])
		if err != nil {
			t.Fatal(err)
		}
		sum += pages * os.Getpagesize() / 1024
	}
	return sum
}
