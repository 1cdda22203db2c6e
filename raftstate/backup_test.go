package raftstate

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/onelease/onelease/raftstate/ledger"
	"github.com/onelease/onelease/raftstate/ledger/ledgertest"
	"github.com/onelease/onelease/raftstate/statepb"
)

// fixtureBackup is one that the golden digest below is of.
func fixtureBackup(t testing.TB) []byte {
	t.Helper()
	s := ledger.New()
	for _, cmd := range ledgertest.Commands2() {
		s, _, _ = s.Apply(ledgertest.Term, cmd)
	}
	b := Backup{State: s, BackupInfo: BackupInfo{Cluster: "one", Node: "node-1", Index: 30, Term: 4, Created: ledgertest.InviteTime}}
	var file bytes.Buffer
	if err := b.write(&file); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

func TestBackupIsReadBack(t *testing.T) {
	file := fixtureBackup(t)
	b, err := ReadBackup(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	want := BackupInfo{Cluster: "one", Node: "node-1", Index: 30, Term: 4, Created: ledgertest.InviteTime, Generation: 1_700_000_000_123}
	if b.BackupInfo != want || b.State.Destination(ledgertest.Hash(1)).LastSeq != 3 {
		t.Errorf("read %+v, want %+v", b.BackupInfo, want)
	}
	if got := file[:backupHead]; string(got) != "onelease backup\n\x01" {
		t.Errorf("begins with %q", got)
	}
}

func TestDamagedBackupIsRefused(t *testing.T) {
	file := fixtureBackup(t)
	for i := range file {
		bad := slices.Clone(file)
		bad[i] ^= 1
		if _, err := ReadBackup(bytes.NewReader(bad)); !errors.Is(err, ledger.ErrCorrupt) && !errors.Is(err, ledger.ErrVersion) {
			t.Fatalf("byte %d changed: error %v, want ErrCorrupt", i, err)
		}
		if _, err := ReadBackup(bytes.NewReader(file[:i])); !errors.Is(err, ledger.ErrCorrupt) {
			t.Fatalf("cut to %d bytes: error %v, want ErrCorrupt", i, err)
		}
	}
	if _, err := ReadBackup(bytes.NewReader(append(slices.Clone(file), 0))); !errors.Is(err, ledger.ErrCorrupt) {
		t.Errorf("one byte more: error %v, want ErrCorrupt", err)
	}
}

func TestBackupOfAnotherVersionIsRefused(t *testing.T) {
	file := fixtureBackup(t)
	file[backupHead-1] = 2
	_, err := ReadBackup(bytes.NewReader(file))
	if !errors.Is(err, ledger.ErrVersion) || !strings.Contains(err.Error(), "program that wrote it") {
		t.Errorf("file: error %v, want ErrVersion that says what to do", err)
	}
	var newer bytes.Buffer
	b := Backup{State: &ledger.State{Version: ledger.Version + 1}, BackupInfo: BackupInfo{Node: "node-1"}}
	if err := b.write(&newer); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadBackup(&newer); !errors.Is(err, ledger.ErrVersion) {
		t.Errorf("state: error %v, want ErrVersion", err)
	}
}

// Any content, with the digest that it should have, is refused, or is a backup
// that is written and read as the same.
func FuzzBackup(f *testing.F) {
	file := fixtureBackup(f)
	f.Add(file[backupHead : len(file)-sha256.Size])
	f.Add([]byte("\x12\x01a\x32\x02\x08\x01"))
	f.Fuzz(func(t *testing.T, body []byte) {
		b, err := decodeBackup(body)
		if err != nil {
			if !errors.Is(err, ledger.ErrCorrupt) && !errors.Is(err, ledger.ErrVersion) {
				t.Fatalf("error %v is of no known kind", err)
			}
			return
		}
		var again bytes.Buffer
		if err := b.write(&again); err != nil {
			t.Fatal(err)
		}
		if c, err := ReadBackup(&again); err != nil || c.BackupInfo != b.BackupInfo {
			t.Fatalf("%+v is read back as %+v, %v", b, c, err)
		}
	})
}

// backup takes and reads one.
func backup(t *testing.T, s *Store) *Backup {
	t.Helper()
	var file bytes.Buffer
	info, err := s.Backup(t.Context(), &file)
	if err != nil {
		t.Fatal(err)
	}
	b, err := ReadBackup(&file)
	if err != nil || b.BackupInfo != info {
		t.Fatalf("read %+v, %v, written as %+v", b, err, info)
	}
	return b
}

func TestBackupOfFollowerAndAfterRestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 2)
		defer c.close()
		apply(t, c.nodes[0].store, ledgertest.Records(1, 5)...)
		c.settle()
		lead, follower := backup(t, c.nodes[0].store), backup(t, c.nodes[1].store)
		if follower.Node != nodeID(1) || follower.Index+1 != lead.Index || // the leader's has its barrier
			!bytes.Equal(ledgertest.Encode(t, lead.State), ledgertest.Encode(t, follower.State)) {
			t.Errorf("follower has %+v, leader %+v", follower.BackupInfo, lead.BackupInfo)
		}
		c.kill(1)
		if err := c.start(1); err != nil {
			t.Fatal(err)
		}
		if b := backup(t, c.nodes[1].store); b.State.Destination(ledgertest.Hash(1)).LastSeq != 5 {
			t.Errorf("after a restart, with nothing new, it has %+v", b.State.Destination(ledgertest.Hash(1)))
		}
	})
}

func TestBackupOfNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &cluster{t: t, network: newNetwork()}
		defer c.close()
		c.add(false, 0)
		if _, err := c.nodes[0].store.Backup(t.Context(), new(bytes.Buffer)); !errors.Is(err, ErrNoState) {
			t.Errorf("error %v, want ErrNoState", err)
		}
	})
}

// changeAfterBackup is what happens between a backup and its restore.
func changeAfterBackup(t *testing.T, s *Store) {
	t.Helper()
	for _, cmd := range []*statepb.Command{
		ledger.Issue(ledgertest.Hash(1), ledgertest.Records(6, 5)...), ledger.Issue(ledgertest.Hash(2), ledgertest.Record(1, "")), ledger.SetEpoch(ledgertest.Hash(1), 7, "later"),
		ledger.UseInvite("a", ledgertest.InviteTime), ledger.RemoveFrontend("kept"),
	} {
		if _, err := s.Apply(t.Context(), cmd); err != nil {
			t.Fatal(err)
		}
	}
}

func TestRestoreOnRunningCluster(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &cluster{t: t, network: newNetwork(), dirs: true}
		defer c.close()
		c.grow(3, 0)
		lead := c.nodes[0].store
		for _, cmd := range []*statepb.Command{
			ledger.SetGeneration(5), ledger.PutFrontend("kept", ledgertest.Hash(1), ledger.Roles{Member: true}), ledger.PutInvite(ledgertest.Invite("a"), ledgertest.InviteTime),
			ledger.Issue(ledgertest.Hash(1), ledgertest.Records(1, 5)...),
		} {
			if _, err := lead.Apply(t.Context(), cmd); err != nil {
				t.Fatal(err)
			}
		}
		b := backup(t, lead)
		changeAfterBackup(t, lead)
		now := time.Now()
		if err := lead.Restore(t.Context(), b, now); err != nil {
			t.Fatal(err)
		}
		apply(t, lead, ledgertest.Record(11, ""))
		c.settle()
		c.kill(2)
		if err := c.start(2); err != nil {
			t.Fatal(err)
		}
		c.settle()
		for i, n := range c.nodes {
			s := n.store.State()
			d := s.Destination(ledgertest.Hash(1))
			if _, ok := s.Frontends["kept"]; !ok || len(s.Invites) != 0 || s.Generation != uint64(now.UnixMilli()) {
				t.Errorf("node %d has frontends %v, invites %v, generation %d", i, s.Frontends, s.Invites, s.Generation)
			}
			if d.LastSeq != 11 || d.LastPublished != ledgertest.Record(11, "").Published || d.Epoch != 7 || s.Destination(ledgertest.Hash(2)).LastSeq != 1 {
				t.Errorf("node %d has forgotten what was issued: %+v, %+v", i, d, s.Destination(ledgertest.Hash(2)))
			}
		}
		if n := len(members(t, lead)); n != 3 {
			t.Errorf("%d members, want 3", n)
		}
	})
}

func TestRestoreRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 2)
		defer c.close()
		apply(t, c.nodes[0].store, ledgertest.Record(1, ""))
		b := backup(t, c.nodes[0].store)
		if err := c.nodes[1].store.Restore(t.Context(), b, time.Now()); !errors.Is(err, ledger.ErrNotLeader) {
			t.Errorf("on a follower: error %v, want ErrNotLeader", err)
		}
		b.Cluster = "another"
		if err := c.nodes[0].store.Restore(t.Context(), b, time.Now()); !errors.Is(err, ErrNotMember) {
			t.Errorf("of another cluster: error %v, want ErrNotMember", err)
		}
	})
}

// Restores amid commands: of all that was acknowledged, nothing is issued twice.
func TestRestoreAmidCommands(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 1)
		defer c.close()
		s := c.nodes[0].store
		apply(t, s, ledgertest.Record(1, ""))
		b := backup(t, s)
		var acks []ledger.Result
		done := make(chan struct{})
		go func() {
			defer close(done)
			for range 300 {
				seq, published := s.State().Destination(ledgertest.Hash(1)).Next(time.Now())
				r, err := s.Apply(t.Context(), ledger.Issue(ledgertest.Hash(1), ledger.Record{Seq: seq, Published: published, Expires: published + 1}))
				if err == nil {
					acks = append(acks, r)
				} else if !errors.Is(err, ledger.ErrNotLeader) {
					t.Errorf("error %v, want none or ErrNotLeader", err)
				}
				time.Sleep(time.Millisecond) // of the bubble
			}
		}()
		for range 30 {
			if err := s.Restore(t.Context(), b, time.Now()); err != nil {
				t.Fatal(err)
			}
			time.Sleep(10 * time.Millisecond) // of the bubble
		}
		<-done
		for i := 1; i < len(acks); i++ {
			if acks[i].Seq <= acks[i-1].Seq || acks[i].Published <= acks[i-1].Published {
				t.Fatalf("issued %+v after %+v", acks[i], acks[i-1])
			}
		}
		if d := s.State().Destination(ledgertest.Hash(1)); len(acks) < 100 || d.LastSeq != acks[len(acks)-1].Seq {
			t.Errorf("%d issued, the state has %+v", len(acks), d)
		}
	})
}

func TestRestoreToADirectory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 1)
		apply(t, c.nodes[0].store, ledgertest.Records(1, 5)...)
		b := backup(t, c.nodes[0].store)
		c.close()
		c = &cluster{t: t, network: newNetwork(), dirs: true}
		defer c.close()
		c.nodes = []*node{{
			config:    Config{ID: nodeID(0), Dir: t.TempDir(), Logger: quiet},
			transport: TransportConfig{ID: nodeID(0), Cluster: testCluster, Advertise: nodeAddr(0), Logger: quiet},
		}}
		dir := c.nodes[0].config.Dir
		if err := RestoreDir(dir, nodeID(0), nodeAddr(0), b); err != nil {
			t.Fatal(err)
		}
		if err := RestoreDir(dir, nodeID(0), nodeAddr(0), b); !errors.Is(err, ErrBootstrapped) {
			t.Errorf("again: error %v, want ErrBootstrapped", err)
		}
		if err := c.start(0); err != nil {
			t.Fatal(err)
		}
		s := c.nodes[0].store
		waitLeader(t, s)
		d := s.State().Destination(ledgertest.Hash(1))
		if d.LastSeq != 5 || d.LastPublished < ledgertest.Record(5, "").Published || s.State().Generation < uint64(time.Now().Add(-time.Minute).UnixMilli()) {
			t.Errorf("restored %+v, generation %d", d, s.State().Generation)
		}
		seq, published := d.Next(time.Now())
		if _, err := s.Apply(t.Context(), ledger.Issue(ledgertest.Hash(1), ledger.Record{Seq: seq, Published: published, Expires: published + 1})); err != nil {
			t.Fatal(err)
		}
		c.add(false, 0)
		if err := s.AddMember(t.Context(), nodeID(1), nodeAddr(1), true); err != nil {
			t.Fatal(err)
		}
		c.settle()
		if got := c.nodes[1].store.State().Destination(ledgertest.Hash(1)); got.LastSeq != 6 {
			t.Errorf("the added node has %+v", got)
		}
	})
}
