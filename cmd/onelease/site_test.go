package main

import (
	"path/filepath"
	"strings"
	"testing"
)

// A site is a cluster of balancer processes, and who operates it.
type site struct {
	t        *testing.T
	dir      string
	keys     string
	identity string
	addrs    map[string]string
	running  map[string]*process
}

// newSite begins a cluster with one balancer.
func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{
		t: t, dir: t.TempDir(), keys: keyFile(t), identity: identityFile(t),
		addrs: map[string]string{"b1": freeAddr(t)}, running: map[string]*process{},
	}
	do(t, "cluster", "init", "--dir", s.of("b1"), "--name", "b1", "--address", s.addrs["b1"], "--keys", s.keys, "--identity-file", s.identity)
	s.start("b1")
	s.await("b1 leads", func(m membersView) bool { return m.Leader == "b1" })
	return s
}

// of is the directory of a node.
func (s *site) of(name string) string { return filepath.Join(s.dir, name) }

// admin is where a balancer can be watched.
func (s *site) admin(name string) string { return "unix:" + filepath.Join(s.of(name), "admin.sock") }

// start runs a balancer.
func (s *site) start(name string) {
	s.t.Helper()
	s.running[name] = start(s.t, "balancer", "--dir", s.of(name), "--identity-file", s.identity, "--admin", s.admin(name))
	s.running[name].says("balancer runs")
}

func (s *site) kill(name string) {
	s.running[name].kill()
	delete(s.running, name)
}

// access are the flags of a command that asks those that run.
func (s *site) access(dir string) []string {
	args := []string{"--dir", s.of(dir)}
	for name := range s.running {
		args = append(args, "--balancer", s.addrs[name])
	}
	return args
}

// cluster runs a cluster command as b1 would.
func (s *site) cluster(args ...string) string {
	s.t.Helper()
	return do(s.t, append(append([]string{"cluster"}, args...), s.access("b1")...)...)
}

// join makes a node, by token.
func (s *site) join(role, name string, more ...string) {
	s.t.Helper()
	token := s.cluster("invite", "--role", role, "--name", name)
	r := try(s.t, token, append([]string{"cluster", "join", "--dir", s.of(name)}, more...)...)
	if r.code != 0 || !strings.Contains(r.out, "Joined as "+role+" "+name) {
		s.t.Fatalf("join: exit code %d, %s%s", r.code, r.out, r.said)
	}
}

// add has another balancer join.
func (s *site) add(name string) {
	s.t.Helper()
	s.addrs[name] = freeAddr(s.t)
	s.join("balancer", name, "--address", s.addrs[name])
	s.start(name)
	s.await(name+" has a vote", func(m membersView) bool { return m.member(name).Voter })
}

func (s *site) members() membersView {
	s.t.Helper()
	return decode[membersView](s.t, s.cluster("members", "--json"))
}

func (s *site) await(what string, ok func(membersView) bool) {
	s.t.Helper()
	until(s.t, what, func() bool { return ok(s.members()) })
}

// member is that of the ID, or nobody.
func (v membersView) member(id string) memberView {
	for _, m := range v.Members {
		if m.ID == id {
			return m
		}
	}
	return memberView{}
}
