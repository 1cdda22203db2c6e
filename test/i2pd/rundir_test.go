//go:build linux

package i2pd

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestSweepSparesLiveRuns(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	live, err := newRunDir()
	if err != nil {
		t.Fatal(err)
	}
	dead, err := newRunDir()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dead.path, "network-1"), 0o700); err != nil {
		t.Fatal(err)
	}
	dead.lock.Close() // what the kernel does when the owner dies
	sweep(os.TempDir())
	if _, err := os.Stat(live.path); err != nil {
		t.Errorf("a live run lost its directory: %v", err)
	}
	if _, err := os.Stat(dead.path); err == nil {
		t.Error("a dead run's directory was left")
	}
	live.remove()
	if _, err := os.Stat(live.path); err == nil {
		t.Error("remove left the directory")
	}
}

// envVictim makes TestVictim play a test that is killed while its routers run.
const envVictim = "ONELEASE_I2PD_TEST_VICTIM"

const victimReady = "victim: routers run"

func TestVictim(t *testing.T) {
	if os.Getenv(envVictim) == "" {
		return // plays the victim for TestKilledRunLeavesNothing only
	}
	n, err := newNetwork(Config{Routers: 5, Floodfills: 5})
	if err != nil {
		t.Fatal(err)
	}
	if err := n.each((*Router).launch); err != nil {
		t.Fatal(err)
	}
	os.Stdout.WriteString(victimReady + "\n")
	<-t.Context().Done() // the test's own end, which never comes
}

// TestKilledRunLeavesNothing kills a run, a child of this one with namespaces of its own,
// with the signal that lets nobody clean up, and with the one of Ctrl-C, and kills only
// its parent, as one kills "go test".
func TestKilledRunLeavesNothing(t *testing.T) {
	Require(t)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	shell := []string{"sh", "-c", `"$0" "$@"; exit`, self} // two commands: sh becomes a single one
	nothing := func(string) {}
	t.Run("killed", func(t *testing.T) { killRun(t, os.Kill, sweep, self) }) // sweep: the next run does that
	t.Run("interrupt", func(t *testing.T) { killRun(t, os.Interrupt, nothing, self) })
	t.Run("parent killed", func(t *testing.T) { killRun(t, os.Kill, nothing, shell...) })
}

// killRun sends the signal to a command that runs TestVictim, and waits until nothing is
// left of it; cleanUp may help.
func killRun(t *testing.T, signal os.Signal, cleanUp func(tmp string), command ...string) {
	tmp := t.TempDir()
	run := startVictim(t, tmp, command)
	if len(processesWith(t, tmp)) < 5 {
		t.Fatal("no routers to kill")
	}
	if err := run.Process.Signal(signal); err != nil {
		t.Fatal(err)
	}
	_ = run.Wait() // killed
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	ticker := time.NewTicker(pollInterval)
	defer ticker.Stop()
	for {
		cleanUp(tmp)
		left := leftOf(t, tmp)
		if len(left) == 0 {
			return
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			t.Fatalf("left: %q", left)
		}
	}
}

// leftOf returns what is left of a run: command lines and files.
func leftOf(t *testing.T, tmp string) []string {
	t.Helper()
	left := processesWith(t, tmp)
	files, _ := os.ReadDir(tmp)
	for _, f := range files {
		left = append(left, f.Name())
	}
	return left
}

// startVictim runs TestVictim in a new process, with its files under tmp, until its routers
// run.
func startVictim(t *testing.T, tmp string, command []string) *exec.Cmd {
	t.Helper()
	run := exec.Command(command[0], append(command[1:], "-test.run=^TestVictim$", "-test.v")...)
	run.Env = append(os.Environ(), envVictim+"=1", envInside+"=", "TMPDIR="+tmp)
	out, err := run.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := run.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = run.Process.Kill() })
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if lines.Text() == victimReady {
			return run
		}
	}
	t.Fatal("the victim ended by itself")
	return nil
}

// processesWith returns the command lines of all processes that have word in them.
func processesWith(t *testing.T, word string) (found []string) {
	t.Helper()
	paths, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		line, _ := os.ReadFile(path) // it may have ended meanwhile
		if strings.Contains(string(line), word) {
			found = append(found, strings.ReplaceAll(string(line), "\x00", " "))
		}
	}
	return found
}
