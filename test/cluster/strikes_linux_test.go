package cluster_test

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/onelease/onelease/balancer/cluster"
	"github.com/onelease/onelease/balancer/cluster/clusterpb"
	"github.com/onelease/onelease/i2p"
)

// stopped: a leader that is stopped for longer than anybody waits wakes up and
// thinks that it leads. What it then signs nobody takes; the history shows.
func (w *siege) stopped() {
	rest := 10 * time.Second
	if soak() {
		rest = 30 * time.Second
	}
	leader, before, began := w.leader(), w.history.last(), time.Now()
	leader.signal(syscall.SIGSTOP)
	w.succeeded(before, began)
	w.during(time.Until(began.Add(rest)))
	leader.signal(syscall.SIGCONT)
}

// clockSlack is how far from the clock LeaseSets may be dated: 30 s of what
// waits, and what a new leader signs at once.
const clockSlack = 75 * time.Second

// wrongClock has a balancer lead whose clock is off. LeaseSets are dated by the
// frontends', which are right: floodfills refuse two minutes of future.
func (w *siege) wrongClock(off time.Duration) {
	w.t.Helper()
	next := w.others(w.leader())[0]
	w.restart(next, func() { next.cfg.ClockOff = off })
	w.settle()
	before, began := w.history.last(), time.Now()
	w.until(formTime, "the lead is handed over", func() bool { return w.handOver(next) == nil })
	o := w.history.awaitTerm(w.t, before, time.Minute)
	w.settle()
	w.during(2 * time.Second) // heartbeats have told the frontends' clocks
	w.ops.setPolicy()
	w.history.mu.Lock()
	for _, o := range w.history.offers {
		if dated := time.Unix(o.published, 0).Sub(o.at); o.at.After(began) && dated.Abs() > clockSlack {
			w.t.Errorf("LeaseSet %v is dated %v from the clock", o.place, dated)
		}
	}
	w.history.mu.Unlock()
	w.t.Logf("first LeaseSet after %v, dated %v from the clock", o.at.Sub(began).Round(time.Millisecond),
		time.Unix(o.published, 0).Sub(o.at).Round(time.Second))
	w.restart(next, func() { next.cfg.ClockOff = 0 })
}

// restart ends a balancer in order, and starts it when change is done.
func (w *siege) restart(p *process, change func()) {
	p.stop()
	change()
	p.start()
}

// handOver has a certain balancer lead.
func (w *siege) handOver(to *process) error {
	return w.withLeader(func(ctx context.Context, leader *cluster.Conn) error {
		_, err := leader.Change(ctx, &clusterpb.ChangeRequest{Kind: clusterpb.ChangeRequest_KIND_TRANSFER, Id: to.name})
		return err
	})
}

// diskSize is that of the disk that is filled, in bytes.
const diskSize = "16m"

// fullDisk moves a balancer's log to a small disk and fills that, for a while.
func (w *siege) fullDisk(p *process) {
	w.t.Helper()
	led := p == w.leader()
	dir := filepath.Join(p.cfg.Dir, "raft")
	p.stop()
	if err := moveToDisk(dir); err != nil {
		w.t.Fatal(err)
	}
	p.start()
	w.settle()
	if led {
		w.until(formTime, "the lead is handed back", func() bool { return p == w.leads() || w.handOver(p) == nil })
		w.settle()
	}
	before, began := w.history.last(), time.Now()
	full := filepath.Join(dir, "full")
	if err := fill(full); err != nil {
		w.t.Fatal(err)
	}
	w.during(cutTime())
	w.ops.setPolicy()
	if led {
		w.succeeded(before, began)
	}
	w.t.Logf("with its disk full the balancer runs: %v", p.running())
	if err := os.Remove(full); err != nil {
		w.t.Fatal(err)
	}
	p.stop()
	if err := moveFromDisk(dir); err != nil {
		w.t.Fatal(err)
	}
	p.start()
}

// moveToDisk mounts a small disk over dir, with what is in dir.
func moveToDisk(dir string) error {
	old := dir + ".old"
	if err := os.Rename(dir, old); err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	if err := unix.Mount("balancer", dir, "tmpfs", 0, "size="+diskSize+",mode=0700"); err != nil {
		return err
	}
	return errors.Join(os.CopyFS(dir, os.DirFS(old)), ownerOnly(dir), os.RemoveAll(old))
}

func moveFromDisk(dir string) error {
	next := dir + ".new"
	if err := errors.Join(os.CopyFS(next, os.DirFS(dir)), ownerOnly(next)); err != nil {
		return err
	}
	if err := errors.Join(unix.Unmount(dir, 0), os.Remove(dir)); err != nil {
		return err
	}
	return os.Rename(next, dir)
}

// ownerOnly takes back what CopyFS gives to all.
func ownerOnly(dir string) error {
	return filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		mode := os.FileMode(0o600)
		if d.IsDir() {
			mode = 0o700
		}
		return os.Chmod(path, mode)
	})
}

// fill writes until there is no room.
func fill(path string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.Copy(f, zeros{})
	if errors.Is(err, unix.ENOSPC) {
		return nil
	}
	return err
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) {
	clear(b)
	return len(b), nil
}

// killed: any of them, at any moment, while operators write.
func (w *siege) killed() {
	rounds := 6
	if soak() {
		rounds = 40
	}
	for range rounds {
		p := w.balancers[rand.IntN(balancers)]
		w.during(300*time.Millisecond + rand.N(700*time.Millisecond))
		p.kill()
		w.during(rand.N(300 * time.Millisecond))
		p.start()
	}
}

// routerLost kills a member's router together with the leader: the merged
// LeaseSets of the next one do not list it, once it knows.
func (w *siege) routerLost() {
	w.t.Helper()
	w.settle()
	lost := w.frontends()[0]
	pool := w.node.Frontend(lost).Status().Pool
	lists := func(l i2p.Lease) bool {
		for _, own := range pool {
			if own.SameTunnel(l) {
				return true
			}
		}
		return false
	}
	leader := w.leader()
	w.history.lose(lists)
	w.network.Router(lost).Kill()
	leader.kill()
	began := time.Now()
	w.until(2*time.Minute, "the netDB has a LeaseSet without the router that was lost", func() bool {
		return w.history.newestWithout(lists)
	})
	w.t.Logf("a router and the leader killed: the router's leases left the netDB after %v", time.Since(began).Round(time.Second))
	leader.start()
}
