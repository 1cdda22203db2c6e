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

	"github.com/onelease/onelease/balancer/cluster/clusterpb"
	"github.com/onelease/onelease/raftstate/ledger"
)

// nextFormat is the build tag of a program whose state has a newer format.
const nextFormat = "onelease_nextformat"

const (
	oldFormat = uint32(ledger.Version)
	newFormat = oldFormat + 1
)

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
		w.settle()
		ops.drain(drained, true)
		ops.setPolicy()
		w.upgrade(p, newer)
		if a := ops.read(); !slices.Equal(a.Drained, []string{drained}) {
			t.Errorf("drained are %v, want %s", a.Drained, drained)
		}
		w.checkFormats(i + 1)
		w.commitNewer(p, i+1 == balancers)
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
		balancers, rolled.Round(time.Second), oldFormat, newFormat,
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
	written := oldFormat
	if upgraded == balancers {
		written = newFormat
	}
	reply, err := w.askMembers()
	if err != nil || reply.GetFormat() != written {
		w.t.Errorf("%d upgraded: format %d is said to be written, want %d: %v", upgraded, reply.GetFormat(), written, err)
	}
	for i, p := range w.balancers {
		reads := oldFormat
		if i < upgraded {
			reads = newFormat
		}
		if told := formatOf(reply, p.name); told != reads {
			w.t.Errorf("%d upgraded: %s is said to read format %d, want %d", upgraded, p.name, told, reads)
		}
		if a, err := p.ask(false, askTime); err != nil || a.Written > written {
			w.t.Errorf("%d upgraded: %s has met format %d, want up to %d: %v", upgraded, p.name, a.Written, written, err)
		}
	}
}

// formatOf is the newest that a balancer reads.
func formatOf(reply *clusterpb.MembersReply, id string) uint32 {
	for _, m := range reply.GetMembers() {
		if m.GetId() == id {
			return m.GetVersion()
		}
	}
	return 0
}

// commitNewer has a balancer that is upgraded, and leads, commit what only the newer
// format has. It refuses, and names who is to be upgraded, until all are; then all
// get it.
func (w *world) commitNewer(leader *process, all bool) {
	w.t.Helper()
	witness, refused := "of-"+leader.name, false
	w.until(formTime, leader.name+" commits what only the newer format has, or refuses to", func() bool {
		_, err := leader.put(question{Witness: witness}, 10*time.Second)
		if refused = err != nil && strings.Contains(err.Error(), "upgrade that node"); refused || err == nil {
			return true
		}
		_ = w.handOver(leader) // on a busy machine another may have been elected
		return false
	})
	if refused == all {
		w.t.Fatalf("all are upgraded: %v; what only the newer format has was refused: %v", all, refused)
	}
	if !all {
		return
	}
	w.until(formTime, "all balancers have what the newer format has", func() bool {
		return !slices.ContainsFunc(w.balancers, func(p *process) bool {
			a, err := p.ask(false, askTime)
			return err != nil || a.Written != newFormat || !slices.Contains(a.Invites, witness)
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
	said := p.lastLine()
	w.t.Logf("the old program: %s", said)
	if !strings.Contains(said, fmt.Sprintf("of version %d", newFormat)) || !strings.Contains(said, "upgrade this program") {
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
