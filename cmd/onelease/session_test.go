package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestSession is a cluster as an operator makes it, grows it, loses its leader,
// and repairs it: each command is a process, and so is each balancer.
func TestSession(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.add("b2")
	s.add("b3")
	text := s.cluster("members")
	if strings.Count(text, " yes ") != 3 || !strings.Contains(text, "follows") {
		t.Errorf("wants three with a vote, got\n%s", text)
	}

	if got := s.cluster("transfer", "b2"); !strings.Contains(got, "b2 leads") {
		t.Errorf("transfer: %s", got)
	}
	s.kill("b2")
	s.await("another leads", func(m membersView) bool { return m.Leader == "b1" || m.Leader == "b3" })
	s.await("the lost one is missed", func(m membersView) bool {
		state := m.member("b2").State // whether the new leader has led before
		return strings.HasPrefix(state, "silent for ") || strings.HasPrefix(state, "not heard since ")
	})
	s.cluster("transfer", "b1")

	// What the lost one was good for, two can do; a second loss would be fatal.
	s.refuses("remove", "b3", "no majority")
	s.cluster("remove", "b2")
	if m := s.members(); len(m.Members) != 2 {
		t.Errorf("after the removal: %+v", m)
	}
	s.cluster("demote", "b3")
	s.await("b3 has no vote", func(m membersView) bool { return !m.member("b3").Voter })
	s.cluster("promote", "b3")
	s.refuses("remove", "b9", "unknown member")

	// Without a majority nothing is decided.
	s.running["b3"].end()
	delete(s.running, "b3")
	s.await("nobody leads", func(m membersView) bool { return m.Leader == "" })
	r := try(t, "", append([]string{"cluster", "invite", "--timeout", "1s", "--role", "backend", "--name", "x"}, s.access("b1")...)...)
	if r.code != exitFailed || !strings.Contains(r.said, "no balancer leads") || !strings.Contains(r.said, "majority") {
		t.Errorf("without a majority: exit code %d, %s", r.code, r.said)
	}
}

// refuses gives a command for a node that must be refused.
func (s *site) refuses(command, id, words string) {
	s.t.Helper()
	fails(s.t, exitFailed, []string{"refused by the cluster", words}, "", append([]string{"cluster", command, id}, s.access("b1")...)...)
}

// TestFollowerIsMissed: the leader knows for how long.
func TestFollowerIsMissed(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.addrs["b2"] = freeAddr(t)
	token := s.cluster("invite", "--role", "balancer", "--name", "b2", "--non-voter")
	r := try(t, token, "cluster", "join", "--dir", s.of("b2"), "--address", s.addrs["b2"])
	if r.code != 0 {
		t.Fatal(r.said)
	}
	s.start("b2")
	s.await("it is heard", func(m membersView) bool { return m.member("b2").State == "follows" })
	if s.members().member("b2").Voter {
		t.Error("it has a vote")
	}
	s.kill("b2")
	s.await("it is missed", func(m membersView) bool { return strings.HasPrefix(m.member("b2").State, "silent for ") })
}

// TestOperator gives commands with a certificate of their own.
func TestOperator(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.join("operator", "alice")
	as := func(args ...string) string {
		return do(t, append(append([]string{"cluster"}, args...), "--dir", s.of("alice"))...)
	}
	status := decode[statusView](t, as("status", "--json"))
	if !strings.HasSuffix(status.Destination, ".b32.i2p") || len(status.Frontends) != 0 {
		t.Errorf("status %+v", status)
	}
	as("policy", "set", "--own-life", "80s", "--rotation", "never")
	as("policy", "set", "--own-refresh", "9s")
	policy := decode[map[string]any](t, as("policy", "show", "--json"))
	if policy["own_life"] != "1m20s" || policy["own_refresh"] != "9s" || policy["rotation"] != "never" || policy["merged_life"] != "0s" {
		t.Errorf("policy %v", policy)
	}
	fails(t, exitFailed, []string{"OwnRefresh"}, "", "cluster", "policy", "set", "--own-refresh", "1h", "--dir", s.of("alice"))

	// A backup brings back what there was.
	file := filepath.Join(t.TempDir(), "state.backup")
	before := s.members().Generation
	as("backup", file)
	as("policy", "set", "--own-life", "0s")
	if got := as("restore", file); !strings.Contains(got, "Restored") {
		t.Error(got)
	}
	if got := as("policy", "show"); !strings.Contains(got, "1m20s") {
		t.Errorf("after the restore:\n%s", got)
	}
	until(t, "the leader is in office again", func() bool { return decode[statusView](t, as("status", "--json")).InOffice })
	if after := s.members().Generation; after <= before {
		t.Errorf("generation %d, and %d before", after, before)
	}
	fails(t, exitFailed, []string{"is there already"}, "", "cluster", "backup", file, "--dir", s.of("alice"))
	fails(t, exitFailed, []string{"no backup of onelease"}, "", "cluster", "restore", s.keys, "--dir", s.of("alice"))
	s.cluster("remove-operator", "alice")
	fails(t, exitFailed, []string{"removed"}, "", "cluster", "status", "--dir", s.of("alice"))
	fails(t, exitUsage, []string{"whom to unlock?", "--balancer"}, "", "cluster", "unlock", "--keys", s.keys, "--dir", s.of("alice"))
}

// TestUnlock: a balancer without stored keys does not lead until it has them.
func TestUnlock(t *testing.T) {
	t.Parallel()
	dir, addr, keys := filepath.Join(t.TempDir(), "b1"), freeAddr(t), keyFile(t)
	do(t, "cluster", "init", "--dir", dir, "--name", "b1", "--address", addr, "--keys", keys, "--no-stored-keys")
	b := start(t, "balancer", "--dir", dir)
	b.says("onelease cluster unlock")
	b.says("balancer runs")
	fails(t, exitFailed, []string{"b1 is locked", "onelease cluster unlock"}, "", "cluster", "invite", "--dir", dir, "--role", "operator", "--name", "op")
	until(t, "it is locked", func() bool { return strings.Contains(do(t, "cluster", "members", "--dir", dir), "asked: locked") })
	fails(t, exitFailed, []string{"another Destination"}, "", "cluster", "unlock", "--dir", dir, "--keys", keyFile(t))
	do(t, "cluster", "unlock", "--dir", dir, "--keys", keys)
	until(t, "it leads", func() bool { return decode[statusView](t, do(t, "cluster", "status", "--dir", dir, "--json")).InOffice })
	b.cmd.Process.Signal(syscall.SIGHUP)
	b.says("certificates read again")
	b.end()
}

// TestCopiedDirectory: a copy of a balancer's directory shows what any node may see, and
// gives no commands.
func TestCopiedDirectory(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	dir := filepath.Join(t.TempDir(), "copy")
	for _, name := range []string{"node.json", "node.crt", "node.key", "ca.crt", "ca.key.sealed", "destination.age"} {
		content, err := os.ReadFile(filepath.Join(s.of("b1"), name))
		if err == nil {
			err = errors.Join(os.MkdirAll(dir, 0o700), os.WriteFile(filepath.Join(dir, name), content, 0o600))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if text := do(t, "cluster", "status", "--dir", dir); !strings.Contains(text, ".b32.i2p") {
		t.Errorf("status: %s", text)
	}
	for _, command := range []string{"invite --role operator --name eve", "policy set --hand-over-keys", "remove b1", "backup " + filepath.Join(dir, "f")} {
		fails(t, exitFailed, []string{"no balancer runs with that directory", "use an operator's"}, "", append(append([]string{"cluster"}, strings.Fields(command)...), "--dir", dir)...)
	}
}

// TestPassphrase seals the keys with one from a file.
func TestPassphrase(t *testing.T) {
	t.Parallel()
	dir, addr := filepath.Join(t.TempDir(), "b1"), freeAddr(t)
	do(t, "cluster", "init", "--dir", dir, "--name", "b1", "--address", addr, "--keys", keyFile(t), "--passphrase-file", secretFile(t, "correct horse\n"))
	fails(t, exitFailed, []string{"wrong secret", "does not open", "cluster init"}, "", "balancer", "--dir", dir, "--passphrase-file", secretFile(t, "battery staple\n"))
	b := start(t, "balancer", "--dir", dir, "--passphrase-file", secretFile(t, "correct horse\n"))
	b.says("this balancer leads")
	b.end()
}

// TestRecover: of three, one is left; and then not even its state.
func TestRecover(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.add("b2")
	backup := filepath.Join(t.TempDir(), "state.backup")
	s.cluster("backup", backup)
	s.kill("b2")
	fails(t, exitFailed, []string{"in use"}, "", "cluster", "recover", "--dir", s.of("b1"), "--member", "b1="+s.addrs["b1"])
	s.kill("b1")
	fails(t, exitFailed, []string{`"b1" is not among the members`}, "", "cluster", "recover", "--dir", s.of("b1"), "--member", "b2="+s.addrs["b2"])
	do(t, "cluster", "recover", "--dir", s.of("b1"), "--member", "b1="+s.addrs["b1"])
	s.start("b1")
	s.await("it leads alone", func(m membersView) bool { return m.Leader == "b1" && len(m.Members) == 1 })

	fails(t, exitFailed, []string{"in use"}, "", "cluster", "restore", backup, "--offline", "--dir", s.of("b1"))
	s.kill("b1")
	if err := os.RemoveAll(filepath.Join(s.of("b1"), "raft")); err != nil {
		t.Fatal(err)
	}
	do(t, "cluster", "restore", backup, "--offline", "--dir", s.of("b1"))
	s.start("b1")
	s.await("it leads alone", func(m membersView) bool { return m.Leader == "b1" && len(m.Members) == 1 })
}
