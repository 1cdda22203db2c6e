package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestBadInput: what is wrong is named, and what to do about it.
func TestBadInput(t *testing.T) {
	t.Parallel()
	s, other := newSite(t), newSite(t)
	token := strings.TrimSpace(s.cluster("invite", "--role", "operator", "--name", "bob"))
	for _, test := range []struct {
		args  string
		stdin string
		code  int
		want  []string
	}{
		{"balancer --dir NOWHERE", "", exitFailed, []string{"not the directory of a node", "onelease cluster init", "onelease cluster join"}},
		{"cluster members --dir NOWHERE", "", exitFailed, []string{"not the directory of a node"}},
		{"cluster members --dir B1 --balancer NOBODY", "", exitFailed, []string{"connection refused", "name another by --balancer"}},
		{"cluster invite --dir B1 --balancer OTHER --role backend --name x", "", exitFailed, []string{"of another cluster"}},
		{"cluster invite --dir B1 --role backend --name X!", "", exitFailed, []string{"name"}},
		{"cluster invite --dir B1 --role balancer --name b1", "", exitFailed, []string{`there is a balancer "b1" already`}},
		{"cluster invite --dir B1 --role backend --name x --for 1000h", "", exitFailed, []string{"want 1s to 168h"}},
		{"cluster join --dir NEW", "", exitFailed, []string{"there is none on stdin", "--token-file"}},
		{"cluster join --dir NEW", token[:len(token)-9], exitFailed, []string{"the end of the join token is missing"}},
		{"cluster join --dir NEW", strings.Replace(token, token[40:44], "AAAA", 1), exitFailed, []string{"was changed on its way"}},
		{"cluster join --dir NEW", "hello", exitFailed, []string{"not a join token"}},
		{"cluster join --dir NEW --address 127.0.0.1:1", token, exitUsage, []string{"only balancers are connected to"}},
		{"cluster join --dir B1", token, exitFailed, []string{"is that of balancer", "give another one"}},
		{"cluster join --dir NEW --token-file NOWHERE", "", exitFailed, []string{"no such file"}},
		{"cluster init --dir NEW --name b1 --address 127.0.0.1:1 --keys NOWHERE", "", exitFailed, []string{"no such file"}},
		{"cluster init --dir NEW --name B1 --address 127.0.0.1:1 --keys KEYS", "", exitUsage, []string{"name of the balancer", "onelease cluster init --help"}},
		{"cluster init --dir NEW --name b1 --address 0.0.0.0:1 --keys KEYS", "", exitUsage, []string{"name this machine"}},
		{"cluster init --dir NEW --name b1 --address 127.0.0.1:1 --keys KEYS", "", exitUsage, []string{"--passphrase-file", "--no-stored-keys"}},
		{"cluster init --dir NEW --name b1 --address 127.0.0.1:1 --keys KEYS --no-stored-keys --identity-file ID", "", exitUsage, []string{"give one of them"}},
		{"cluster init --dir NEW --name b1 --address 127.0.0.1:1 --keys KEYS --passphrase-file x --identity-file ID", "", exitUsage, []string{"--passphrase-file and --identity-file"}},
		{"cluster init --dir B1 --name b1 --address 127.0.0.1:1 --keys KEYS --identity-file ID", "", exitFailed, []string{"is that of balancer"}},
		{"cluster init --dir NEW --name b1 --address 127.0.0.1:1 --keys OPEN --identity-file ID", "", exitFailed, []string{"chmod 600"}},
		{"cluster policy set --dir B1 --tunnels 99", "", exitFailed, []string{"Tunnels", "1 to 16"}},
		{"balancer --dir B1 --passphrase-file OPEN", "", exitFailed, []string{"chmod 600"}},
		{"balancer --dir B1 --passphrase-fd 99", "", exitFailed, []string{"99< FILE"}},
	} {
		args := strings.NewReplacer(
			"NOWHERE", filepath.Join(t.TempDir(), "nowhere"), "NEW", filepath.Join(t.TempDir(), "new"), "NOBODY", freeAddr(t),
			"B1", s.of("b1"), "OTHER", other.addrs["b1"], "KEYS", s.keys, "ID", s.identity, "OPEN", openKeys(t, s.keys),
		).Replace(strings.Replace(test.args, "--name B1", "--name Balancer", 1))
		fails(t, test.code, test.want, test.stdin, strings.Fields(args)...)
	}
	// The token was not used up by any of that.
	if r := try(t, token, "cluster", "join", "--dir", s.of("bob")); r.code != 0 {
		t.Errorf("the good token: %s", r.said)
	}
	fails(t, exitFailed, []string{"not known or was used", "onelease cluster invite"}, token, "cluster", "join", "--dir", s.of("bob2"))
	if strings.Contains(s.running["b1"].log(), token[20:60]) {
		t.Error("the balancer has logged the token")
	}
}

// openKeys is a copy that others may read.
func openKeys(t *testing.T, path string) string {
	t.Helper()
	keys, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	open := filepath.Join(t.TempDir(), "open.dat")
	if err := os.WriteFile(open, keys, 0o644); err != nil {
		t.Fatal(err)
	}
	return open
}
