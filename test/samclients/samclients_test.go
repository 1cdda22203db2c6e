package samclients

import (
	"bytes"
	"net"
	"os"
	"os/exec"
	"testing"
	"time"
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
		"sam3":       runSAM3,
		"node":       func(t *testing.T) { runNode(t, host, port, udp) },
		"txi2p":      func(t *testing.T) { runPython(t, "txi2p", "txi2p-tahoe", "python/txi2p_lines.py", host, port) },
		"libtorrent": func(t *testing.T) { runLibtorrent(t, host, port) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t)
		})
	}
}

// runSAM3 runs the tests of the library itself, which is a module of ours. They are not
// vetted: newer versions of go vet refuse the names of its examples.
func runSAM3(t *testing.T) {
	out := run(t, "", "go", "test", "-count=1", "-vet=off", "-v", "-timeout", (limit - time.Minute).String(), "github.com/eyedeekay/sam3/...")
	for _, test := range []string{"Test_PrimaryDatagramServerClient", "Test_StreamingServerClient", "ExampleDatagramSession", "ExampleStreamListener"} {
		if !bytes.Contains(out, []byte("--- PASS: "+test+" ")) {
			t.Errorf("%s of sam3 did not run", test)
		}
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

// runLibtorrent needs a libtorrent that works: up to 2.0.8 it reads each answer of a bridge
// twice at once, and fails with "parse failed" whatever bridge it is (arvidn/libtorrent
// issue 7247). Debian 12 has that one.
func runLibtorrent(t *testing.T, args ...string) {
	const works = "import libtorrent, sys; sys.exit(tuple(map(int, libtorrent.__version__.split('.'))) < (2, 0, 9))"
	if err := exec.Command("/usr/bin/python3", "-c", "import libtorrent").Run(); err == nil {
		if err := exec.Command("/usr/bin/python3", "-c", works).Run(); err != nil {
			t.Skip("this libtorrent is older than 2.0.9, and can speak to no SAM bridge")
		}
	}
	runPython(t, "libtorrent", "libtorrent", "python/libtorrent_swarm.py", args...)
}
