package raftstate

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/onelease/onelease/raftstate/ledger"
	"github.com/onelease/onelease/raftstate/ledger/ledgertest"
)

// lost is a cluster of three of which two are gone for good.
func lost(t *testing.T) *cluster {
	t.Helper()
	c := &cluster{t: t, network: newNetwork(), dirs: true}
	c.grow(3, 0)
	apply(t, c.nodes[0].store, ledgertest.Records(1, 5)...)
	c.settle()
	for i := range c.nodes {
		c.kill(i)
	}
	return c
}

// goesOn wants node 1 to lead with all that there was, and another to join it.
func goesOn(t *testing.T, c *cluster) {
	t.Helper()
	if err := c.start(1); err != nil {
		t.Fatal(err)
	}
	s := c.nodes[1].store
	waitLeader(t, s)
	if err := s.Barrier(t.Context()); err != nil {
		t.Fatal(err)
	}
	apply(t, s, ledgertest.Record(6, ""))
	if n := len(members(t, s)); n != 1 {
		t.Errorf("%d members, want itself", n)
	}
	c.add(false, 0)
	if err := s.AddMember(t.Context(), nodeID(3), nodeAddr(3), true); err != nil {
		t.Fatal(err)
	}
	c.settle()
	if got := c.nodes[3].store.State().Destination(ledgertest.Hash(1)).LastSeq; got != 6 {
		t.Errorf("the node that was added has seq %d, want 6", got)
	}
}

func TestRecover(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := lost(t)
		defer c.close()
		dir := c.nodes[1].config.Dir
		if err := Recover(dir, nodeID(1), []Member{{ID: nodeID(1), Addr: nodeAddr(1), Voter: true}}); err != nil {
			t.Fatal(err)
		}
		goesOn(t, c)
	})
}

func TestPeersFile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := lost(t)
		defer c.close()
		dir := c.nodes[1].config.Dir
		path := filepath.Join(dir, peersName)
		if err := os.WriteFile(path, []byte(`[{"id":"node-1","address":"node-1:7650","non_voter":false}]`), 0o600); err != nil {
			t.Fatal(err)
		}
		goesOn(t, c)
		applied, _ := filepath.Glob(path + ".applied-*")
		if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) || len(applied) != 1 {
			t.Errorf("peers.json: %v, applied ones %v", err, applied)
		}
	})
}

func TestBadPeersFileChangesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := lost(t)
		defer c.close()
		dir := c.nodes[1].config.Dir
		path := filepath.Join(dir, peersName)
		for name, content := range map[string]string{
			"empty":          "",
			"no list":        `{"id":"node-1"}`,
			"old format":     `["node-1:7650"]`,
			"unknown field":  `[{"id":"node-1","address":"node-1:7650","voter":true}]`,
			"more after it":  `[{"id":"node-1","address":"node-1:7650"}] x`,
			"nobody":         `[]`,
			"no voter":       `[{"id":"node-1","address":"node-1:7650","non_voter":true}]`,
			"no port":        `[{"id":"node-1","address":"node-1"}]`,
			"twice":          `[{"id":"node-1","address":"node-1:7650"},{"id":"node-1","address":"node-1:7651"}]`,
			"without itself": `[{"id":"node-0","address":"node-0:7650"}]`,
		} {
			if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
			err := c.start(1)
			if !errors.Is(err, ledger.ErrInvalid) || !strings.Contains(err.Error(), path) {
				t.Errorf("%s: error %v, want ErrInvalid that names the file", name, err)
			}
			if name != "without itself" && (err == nil || !strings.Contains(err.Error(), peersExample)) {
				t.Errorf("%s: error %v, want an example", name, err)
			}
			c.nodes[1].store = nil
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		for i := range c.nodes {
			if err := c.start(i); err != nil {
				t.Fatal(err)
			}
		}
		if n := len(members(t, c.nodes[c.leader(-1)].store)); n != 3 {
			t.Errorf("%d members, want 3 as before", n)
		}
	})
}

func TestRecoverRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := lost(t)
		defer c.close()
		dir := c.nodes[1].config.Dir
		self := []Member{{ID: nodeID(1), Addr: nodeAddr(1), Voter: true}}
		if err := Recover(t.TempDir(), nodeID(1), self); !errors.Is(err, ErrNoState) {
			t.Errorf("without state: error %v, want ErrNoState", err)
		}
		other := []Member{{ID: nodeID(0), Addr: nodeAddr(0), Voter: true}}
		if err := Recover(dir, nodeID(1), other); !errors.Is(err, ledger.ErrInvalid) {
			t.Errorf("without itself: error %v, want ErrInvalid", err)
		}
		if err := Recover(dir, nodeID(0), other); !errors.Is(err, ErrNotMember) {
			t.Errorf("another's directory: error %v, want ErrNotMember", err)
		}
		if err := c.start(1); err != nil {
			t.Fatal(err)
		}
		if err := Recover(dir, nodeID(1), self); !errors.Is(err, ledger.ErrLocked) {
			t.Errorf("of a running node: error %v, want ErrLocked", err)
		}
	})
}

func TestHasState(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "dir")
		check := func(want bool) {
			t.Helper()
			if got, err := HasState(dir); got != want || err != nil {
				t.Errorf("has state: %v, %v, want %v", got, err, want)
			}
		}
		check(false)
		if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
			t.Error("asking has made the directory")
		}
		c := &cluster{t: t, network: newNetwork()}
		c.add(false, 0)
		c.close()
		c.nodes[0].config.InMemory, c.nodes[0].config.Dir = false, dir
		if err := c.start(0); err != nil {
			t.Fatal(err)
		}
		if _, err := HasState(dir); !errors.Is(err, ledger.ErrLocked) {
			t.Errorf("in use: error %v, want ErrLocked", err)
		}
		c.close()
		check(false) // it has waited to be added
		c.nodes[0].config.Bootstrap = true
		if err := c.start(0); err != nil {
			t.Fatal(err)
		}
		c.close()
		check(true)
	})
}
