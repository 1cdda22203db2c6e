package samclients

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// limit is how long all clients together may take.
const limit = 4 * time.Minute

// A bridge is a process of "onelease demo --sam".
type bridge struct {
	SAM []string `json:"sam"`
	UDP string   `json:"udp"`
}

// startBridge starts one on the ports that clients look for, and ends it with the test.
func startBridge(t *testing.T) bridge {
	t.Helper()
	onelease := filepath.Join(t.TempDir(), "onelease")
	if out, err := exec.Command("go", "build", "-o", onelease, "../../cmd/onelease").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	demo := exec.Command(onelease, "demo", "--sam", "127.0.0.1:7656", "--json")
	var said bytes.Buffer
	demo.Stderr = &said
	out, err := demo.StdoutPipe()
	if err == nil {
		err = demo.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { endBridge(t, demo, &said) })
	var b bridge
	if err := json.NewDecoder(out).Decode(&b); err != nil {
		t.Fatalf("the bridge does not serve: %v", err)
	}
	return b
}

// endBridge has the bridge end as Ctrl-C does.
func endBridge(t *testing.T, demo *exec.Cmd, said *bytes.Buffer) {
	late := time.AfterFunc(20*time.Second, func() { demo.Process.Kill() })
	defer late.Stop()
	demo.Process.Signal(syscall.SIGINT)
	err := demo.Wait()
	if err != nil || said.Len() > 0 || t.Failed() {
		t.Logf("the bridge said:\n%s", said.Bytes())
	}
	if err != nil {
		t.Errorf("the bridge ended with %v", err)
	}
}

// run runs a client, which is to end well, and returns what it said.
func run(t *testing.T, dir, name string, args ...string) []byte {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	client := exec.CommandContext(ctx, name, args...)
	client.Dir, client.WaitDelay = dir, time.Second
	began := time.Now()
	out, err := client.CombinedOutput()
	if err != nil {
		t.Errorf("%v", err)
	}
	t.Logf("after %.1f s:\n%s", time.Since(began).Seconds(), out)
	return out
}

// needs skips a test where a client's tool is missing, or fails it where that must be
// there. The command shows whether it is.
func needs(t *testing.T, hint, name string, args ...string) {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	switch {
	case err == nil:
	case os.Getenv("ONELEASE_REQUIRE_TOOLS") != "":
		t.Fatalf("%s: %v\n%s", hint, err, out)
	default:
		t.Skipf("%s: %v", hint, err)
	}
}
