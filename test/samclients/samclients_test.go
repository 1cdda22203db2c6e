package samclients

import (
	"net"
	"os"
	"testing"
)

// Clients of others, all at once on one bridge.
func TestClients(t *testing.T) {
	if os.Getenv("ONELEASE_SAM_CLIENTS") == "" {
		t.Skip("takes a minute, and the ports 7656 and 7655: run make test-samclients")
	}
	b := startBridge(t)
	host, port, err := net.SplitHostPort(b.SAM[0])
	if err != nil {
		t.Fatal(err)
	}
	_, udp, err := net.SplitHostPort(b.UDP)
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]func(t *testing.T){
		"sam3": func(t *testing.T) {
			run(t, "", "go", "test", "-count=1", "-v", "-timeout", limit.String(), "github.com/eyedeekay/sam3/...")
		},
		"node":       func(t *testing.T) { runNode(t, host, port, udp) },
		"txi2p":      func(t *testing.T) { runPython(t, "txi2p", "txi2p-tahoe", "python/txi2p_lines.py", host, port) },
		"libtorrent": func(t *testing.T) { runPython(t, "libtorrent", "libtorrent", "python/libtorrent_swarm.py", host, port) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t)
		})
	}
}

// runNode installs the library into a directory of its own, and runs what uses it.
func runNode(t *testing.T, args ...string) {
	needs(t, "install Node and npm", "npm", "--version")
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("node")); err != nil {
		t.Fatal(err)
	}
	install := []string{"ci", "--prefix", dir, "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"}
	needs(t, "npm could not install the library; is there a network?", "npm", install...)
	run(t, dir, "node", append([]string{"clients.mjs"}, args...)...)
}

// runPython runs a program that needs a Debian package: its Python modules are not those
// of another Python that may come first in PATH.
func runPython(t *testing.T, module, debian, program string, args ...string) {
	const python = "/usr/bin/python3"
	needs(t, "install python3-"+debian, python, "-c", "import "+module)
	run(t, "", python, append([]string{program}, args...)...)
}
