package cluster_test

import (
	"crypto/sha256"
	"fmt"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"github.com/onelease/onelease/raftstate"
)

// nextFormat is the build tag of a program whose state has a newer format.
const nextFormat = "onelease_nextformat"

// TestRollingUpgrade restarts every balancer under traffic, one by one, with a
// program that writes a newer format, while LeaseSets are signed, pools reported,
// members drained and invitations made. Each leads as soon as it is upgraded; yet
// the newer format is written only when the last old one is gone, which would end
// if it met it. From then on an old one says so, and does not start.
func TestRollingUpgrade(t *testing.T) {
	newer := newerProgram(t) // while no other test runs: the compiler takes all cores
	t.Parallel()
	w := newWorld(t, newLoopback(t, balancers), 3)
	w.startTraffic()
	ops := w.startOperators()
	began := time.Now()
	w.checkFormats(0)
	for i, p := range w.balancers {
		drained := w.frontends()[i]
		ops.setPolicy()
		ops.drain(drained, true)
		w.upgrade(p, newer)
		w.checkFormats(i + 1)
		ops.drain(drained, false)
	}
	rolled := time.Since(began)
	w.goBack(w.balancers[0])
	ops.end()
	ops.check()
	sum := w.traffic.endWhole()
	w.judge()
	acknowledged, tried := ops.count()
	t.Logf("SUMMARY %d balancers upgraded in %v, format %d to %d: %d requests, %d lost, %d streams broken, longest echo %v; %d of %d invitations acknowledged, all there",
		balancers, rolled.Round(time.Second), raftstate.Version, raftstate.Version+1,
		sum.Sent, sum.Lost, sum.Broken, sum.Gap.Round(time.Millisecond), acknowledged, tried)
}

// newerProgram builds this binary as one of a newer version, and returns its path.
func newerProgram(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "newer")
	args := []string{"test", "-c", "-tags", nextFormat, "-ldflags=-s -w", "-o", path}
	info, _ := debug.ReadBuildInfo() // test binaries have it
	for _, s := range info.Settings {
		if s.Key == "-race" { // as this one: then all but our own packages is built already
			args = append(args, "-race="+s.Value)
		}
	}
	if out, err := exec.Command("go", append(args, ".")...).CombinedOutput(); err != nil {
		t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return path
}

// upgrade restarts a balancer as another program, and has it lead.
func (w *world) upgrade(p *process, program string) {
	w.t.Helper()
	w.settle()
	p.stop()
	w.leader()
	p.program = program
	p.start()
	w.settle()
	w.until(formTime, p.name+" leads", func() bool {
		if w.leads() == p {
			return true
		}
		_ = w.handOver(p) // it may be too early
		return false
	})
	w.settle()
}

// checkFormats looks at the formats that operators are told of, and that are in
// the log, with the first so many balancers upgraded.
func (w *world) checkFormats(upgraded int) {
	w.t.Helper()
	written, reads := uint32(raftstate.Version), map[string]uint32{}
	if upgraded == balancers {
		written++
	}
	for i, p := range w.balancers {
		reads[p.name] = raftstate.Version
		if i < upgraded {
			reads[p.name]++
		}
	}
	if upgraded > 0 {
		w.checkWitness(w.balancers[upgraded-1], upgraded == balancers)
	}
	reply, err := w.askMembers()
	if err != nil || len(reply.GetMembers()) != balancers {
		w.t.Errorf("%d upgraded: members %v, %v", upgraded, reply.GetMembers(), err)
	}
	for _, m := range reply.GetMembers() {
		if m.GetVersion() != reads[m.GetId()] {
			w.t.Errorf("%d upgraded: %s is said to read format %d, want %d", upgraded, m.GetId(), m.GetVersion(), reads[m.GetId()])
		}
	}
	if reply.GetFormat() != written {
		w.t.Errorf("%d upgraded: format %d is said to be written, want %d", upgraded, reply.GetFormat(), written)
	}
	for _, p := range w.balancers {
		if a, err := p.ask(false, askTime); err != nil || a.Written > written {
			w.t.Errorf("%d upgraded: %s has met format %d, want up to %d: %v", upgraded, p.name, a.Written, written, err)
		}
	}
}

// checkWitness has the leader, which is upgraded, commit what only the newer
// format has. Not until all read it does it, and then all have it.
func (w *world) checkWitness(leader *process, all bool) {
	w.t.Helper()
	_, err := leader.put(question{Witness: "of-" + leader.name}, 10*time.Second)
	if !all {
		if err == nil || !strings.Contains(err.Error(), "upgrade that node") {
			w.t.Errorf("what only the newer format has: %v, want a refusal that names who is to be upgraded", err)
		}
		return
	}
	if err != nil {
		w.t.Fatalf("all are upgraded, and what the newer format has is refused: %v", err)
	}
	w.until(formTime, "all balancers have what the newer format has", func() bool {
		return !slices.ContainsFunc(w.balancers, func(p *process) bool {
			a, err := p.ask(false, askTime)
			return err != nil || a.Written != raftstate.Version+1 || !slices.Contains(a.Invites, "of-"+leader.name)
		})
	})
}

// goBack starts a balancer as the old program, and then as it was.
func (w *world) goBack(p *process) {
	w.t.Helper()
	newer := p.program
	p.stop()
	p.program = ""
	before := p.stored()
	p.start()
	w.until(time.Minute, "a balancer that cannot read the state ends", func() bool { return !p.running() })
	if !p.logged("of version 3") || !p.logged("upgrade this program") {
		w.t.Error("it does not say that the version is why, and what to do")
	}
	p.kill()
	if p.stored() != before {
		w.t.Error("it has changed what it cannot read")
	}
	p.program = newer
	p.start()
	w.settle()
}

// stored is the digest of all that raft has on disk. It must not run.
func (p *process) stored() (digest [sha256.Size]byte) {
	p.t.Helper()
	all := sha256.New()
	db, err := bbolt.Open(filepath.Join(p.cfg.Dir, "raft", "raft.db"), 0o600, &bbolt.Options{ReadOnly: true})
	if err != nil {
		p.t.Fatal(err)
	}
	defer db.Close()
	err = db.View(func(tx *bbolt.Tx) error {
		return tx.ForEach(func(name []byte, bucket *bbolt.Bucket) error {
			return bucket.ForEach(func(key, value []byte) error {
				_, err := fmt.Fprintf(all, "%q %q %q\n", name, key, value)
				return err
			})
		})
	})
	if err != nil {
		p.t.Fatal(err)
	}
	return [sha256.Size]byte(all.Sum(nil))
}
