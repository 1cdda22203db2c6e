package cluster

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/onelease/onelease/balancer/cluster/clusterpb"
	"github.com/onelease/onelease/raftstate"
)

// TestRestoreBringsBackThePolicy, and the leader goes on in a new generation. Who
// was removed since the backup stays out.
func TestRestoreBringsBackThePolicy(t *testing.T) {
	r := newRig(t)
	r.form(2)
	leader, err := r.operator().AwaitLeader(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer leader.Close()
	set := func(life time.Duration) {
		t.Helper()
		_, err := leader.SetPolicy(t.Context(), &clusterpb.SetPolicyRequest{Policy: &clusterpb.Policy{OwnLifeMs: life.Milliseconds()}})
		if err != nil {
			t.Fatal(err)
		}
	}
	set(80 * time.Second)
	var file bytes.Buffer
	info, err := leader.BackupTo(t.Context(), &file)
	if err != nil || info.Cluster != r.nodes[0].info.Cluster {
		t.Fatalf("backup %+v, error %v", info, err)
	}
	set(100 * time.Second)
	remove := &clusterpb.ChangeRequest{Kind: clusterpb.ChangeRequest_KIND_REMOVE_OPERATOR, Id: "mallory"}
	if _, err := leader.Change(t.Context(), remove); err != nil {
		t.Fatal(err)
	}
	generation, err := leader.RestoreFrom(t.Context(), file.Bytes())
	if err != nil || generation <= info.Generation {
		t.Fatalf("generation %d after %d, error %v", generation, info.Generation, err)
	}
	policy, err := leader.GetPolicy(t.Context(), &clusterpb.GetPolicyRequest{})
	if got := policy.GetPolicy().GetOwnLifeMs(); err != nil || got != 80_000 {
		t.Errorf("own life %d ms, error %v", got, err)
	}
	if marks := r.awaitLeader().marks(); len(marks) != 1 || marks[0].Name != "mallory" {
		t.Errorf("removed are %v: whoever was removed since the backup was let in again", marks)
	}
	for _, n := range r.nodes {
		r.until("all have the new generation", func() bool { return n.store.State().Generation == generation })
	}
	if _, err := leader.RestoreFrom(t.Context(), []byte("nonsense")); !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), "no backup") {
		t.Errorf("nonsense: error %v", err)
	}
}

// TestAwaitLeader goes past a dead leader that a follower still names.
func TestAwaitLeader(t *testing.T) {
	r := newRig(t)
	r.form(3)
	client := r.client()
	r.awaitLeader().Kill()
	leader, err := client.AwaitLeader(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer leader.Close()
	if next := r.awaitLeader(); next.Address() != leader.addr {
		t.Errorf("found %s, and %s leads", leader.addr, next.Address())
	}
}

// TestRestoreDirRefuses what is of another cluster.
func TestRestoreDirRefuses(t *testing.T) {
	r := newRig(t)
	if err := Init(InitConfig{Dir: r.nodeDir(0), ID: "b1", Address: "127.0.0.1:1", Keys: r.keys}); err != nil {
		t.Fatal(err)
	}
	err := RestoreDir(r.nodeDir(0), &raftstate.Backup{BackupInfo: raftstate.BackupInfo{Cluster: "other"}})
	if !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), "other") {
		t.Errorf("error %v", err)
	}
}
