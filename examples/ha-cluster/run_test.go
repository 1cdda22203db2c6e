// Package hacluster has the test of run.sh.
package hacluster

import (
	"bytes"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// ports is how many the script uses from PORT on.
const ports = 16

// TestRun runs the script as it stands: it ends well, and leaves no file and no process.
func TestRun(t *testing.T) {
	for _, tool := range []string{"bash", "curl"} {
		_, err := exec.LookPath(tool)
		switch {
		case err == nil:
		case os.Getenv("ONELEASE_REQUIRE_TOOLS") != "":
			t.Fatalf("install %s: %v", tool, err)
		default:
			t.Skipf("the script needs %s: %v", tool, err)
		}
	}
	onelease := filepath.Join(t.TempDir(), "onelease")
	if out, err := exec.Command("go", "build", "-o", onelease, "../../cmd/onelease").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	tmp := t.TempDir()
	script := exec.Command("bash", "run.sh")
	script.Env = append(os.Environ(), "ONELEASE="+onelease, "TMPDIR="+tmp, "PORT="+strconv.Itoa(freePorts(t)))
	script.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	var out bytes.Buffer
	script.Stdout, script.Stderr = &out, &out
	began := time.Now()
	if err := script.Start(); err != nil {
		t.Fatal(err)
	}
	late := time.AfterFunc(3*time.Minute, func() { script.Process.Signal(syscall.SIGTERM) })
	defer late.Stop()
	if err := script.Wait(); err != nil {
		t.Errorf("%v\n%s", err, out.Bytes())
	}
	t.Logf("%v\n%s", time.Since(began).Round(time.Millisecond), out.Bytes())
	if err := syscall.Kill(-script.Process.Pid, 0); !errors.Is(err, syscall.ESRCH) {
		t.Errorf("processes are left: %v", err)
		syscall.Kill(-script.Process.Pid, syscall.SIGKILL)
	}
	if left, err := os.ReadDir(tmp); len(left) > 0 || err != nil {
		t.Errorf("files are left: %v, %v", left, err)
	}
}

// freePorts is the first of some that were free just now, below those that the kernel
// gives out.
func freePorts(t *testing.T) int {
	t.Helper()
	for first := 12000 + os.Getpid()%5000; first < 30000; first += ports {
		if allFree(first) {
			return first
		}
	}
	t.Fatal("no free ports")
	return 0
}

func allFree(first int) bool {
	for port := first; port < first+ports; port++ {
		ln, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err != nil {
			return false
		}
		ln.Close()
	}
	return true
}
