package main

import (
	"bytes"
	"encoding/json"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/internal/logtest"
	"github.com/onelease/onelease/test/embedded"
)

// A run is what came of the program.
type run struct {
	out, said string
	code      int
}

// try runs the program with that on its stdin.
func try(t *testing.T, stdin string, args ...string) run {
	t.Helper()
	var out, said bytes.Buffer
	cmd := program(t, args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &out, &said
	err := cmd.Run()
	return run{out.String(), said.String(), code(t, err)}
}

// do is try that must succeed, and returns what it printed.
func do(t *testing.T, args ...string) string {
	t.Helper()
	r := try(t, "", args...)
	if r.code != 0 {
		t.Fatalf("onelease %s: exit code %d: %s", strings.Join(args, " "), r.code, r.said)
	}
	return r.out
}

// fails runs the program, which must fail and say all that is wanted, in one
// line and on stderr alone.
func fails(t *testing.T, want int, words []string, stdin string, args ...string) {
	t.Helper()
	r := try(t, stdin, args...)
	if r.code != want || r.out != "" {
		t.Errorf("onelease %s: exit code %d, want %d; it printed %q and said %q", strings.Join(args, " "), r.code, want, r.out, r.said)
	}
	for _, w := range words {
		if !strings.Contains(r.said, w) {
			t.Errorf("onelease %s: %q does not say %q", strings.Join(args, " "), r.said, w)
		}
	}
}

// A process is the program as it runs on.
type process struct {
	t   *testing.T
	cmd *exec.Cmd

	logtest.Buffer // its stderr
}

func (d *process) log() string { return d.String() }

// names fails the test at its end if the process has named one of the remotes above debug
// level.
func (d *process) names(none ...*embedded.Remote) {
	d.t.Cleanup(func() {
		for _, r := range none {
			d.KeepsQuiet(d.t, r.Destination())
		}
	})
}

func start(t *testing.T, args ...string) *process {
	t.Helper()
	d := &process{t: t, cmd: program(t, args...)}
	d.cmd.Stderr = d
	if err := d.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if d.cmd.ProcessState == nil {
			d.kill()
		}
	})
	return d
}

// kill is kill -9.
func (d *process) kill() {
	d.cmd.Process.Kill()
	_ = d.cmd.Wait()
}

// end is SIGTERM, after which it must exit with 0.
func (d *process) end() {
	d.t.Helper()
	d.cmd.Process.Signal(syscall.SIGTERM)
	if got := code(d.t, d.cmd.Wait()); got != 0 {
		d.t.Errorf("exit code %d after SIGTERM: %s", got, d.log())
	}
}

// says waits until it has logged it.
func (d *process) says(words string) {
	d.t.Helper()
	until(d.t, "it logs "+words, func() bool { return strings.Contains(d.log(), words) })
}

// until polls, since what is waited for happens in other processes.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.After(20 * time.Second)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("not within 20 s: %s", what)
		}
	}
}

// freeAddr is a port of the loopback that was free just now.
func freeAddr(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().String()
}

// keyFile makes a Destination.
func keyFile(t *testing.T) string {
	t.Helper()
	keys, err := i2p.GenerateKeys()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "site.dat")
	if err := i2p.WriteKeyFile(path, keys, i2p.KeyBinary); err != nil {
		t.Fatal(err)
	}
	return path
}

// secretFile has mode 0600.
func secretFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// identityFile is an age identity: unlike a passphrase it opens in no time.
func identityFile(t *testing.T) string {
	return secretFile(t, "AGE-SECRET-KEY-184JMZMVQH3E6U0PSL869004Y3U2NYV7R30EU99CSEDNPH02YUVFSZW44VU\n")
}

// decode reads JSON that the program printed.
func decode[T any](t *testing.T, text string) (v T) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return v
}
