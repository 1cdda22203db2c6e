package cluster_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// envInside marks the process that runs the tests inside the namespaces.
const envInside = "ONELEASE_CLUSTER_INSIDE"

// runTests runs this binary again inside new namespaces, as package test/i2pd
// does, whose way in is for its own routers only. Where that cannot be the tests
// run here.
func runTests(m *testing.M) int {
	if os.Getenv(envInside) != "" {
		errNoNamespaces = enter()
		return m.Run()
	}
	if os.Geteuid() != 0 {
		errNoNamespaces = errors.New("network namespaces need root")
		return m.Run()
	}
	code, err := runInside()
	if err != nil {
		errNoNamespaces = err
		return m.Run()
	}
	return code
}

func runInside() (int, error) {
	dir, err := os.MkdirTemp("", "onelease-cluster-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	self, err := os.Executable()
	if err != nil {
		return 0, err
	}
	child := exec.Command(self, os.Args[1:]...)
	child.Stdout, child.Stderr = os.Stdout, os.Stderr
	child.Env = append(os.Environ(), envInside+"=1", "TMPDIR="+dir)
	child.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:   syscall.CLONE_NEWNET | syscall.CLONE_NEWPID,
		Unshareflags: syscall.CLONE_NEWNS, // Go then also makes the mounts private
		Pdeathsig:    syscall.SIGKILL,     // follows the thread that starts it: the main one, see init
	}
	if err := child.Start(); err != nil {
		return 0, fmt.Errorf("no network namespaces: %w (in Docker: --cap-add SYS_ADMIN)", err)
	}
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT)
	defer signal.Stop(signals)
	go func() {
		for s := range signals {
			_ = child.Process.Signal(s) // it may have ended meanwhile
		}
	}()
	var exit *exec.ExitError
	if err := child.Wait(); err != nil && !errors.As(err, &exit) {
		return 1, nil
	}
	return max(child.ProcessState.ExitCode(), -1) & 0xff, nil
}

// The main thread stands for the process in /proc, and tests change the namespace
// of threads: it is kept for the main goroutine, which does not.
func init() { runtime.LockOSThread() }

// enter finishes the namespaces from within: a /proc that shows their processes,
// lo up, and packets passed on between the balancers' networks.
func enter() error {
	if err := unix.Mount("proc", "/proc", "proc", 0, ""); err != nil {
		return fmt.Errorf("mount /proc inside the new namespaces: %w", err)
	}
	if err := ip("link", "set", "lo", "up"); err != nil {
		return err
	}
	if err := os.WriteFile("/proc/sys/net/ipv4/ip_forward", []byte("1"), 0); err != nil {
		return err
	}
	return localLast()
}

// localLast has rules of our own come before the one that finds local addresses.
func localLast() error {
	return errors.Join(ip("rule", "add", "pref", "1000", "lookup", "local"), ip("rule", "del", "pref", "0"))
}

// ip runs iproute2's ip.
func ip(args ...string) error {
	out, err := exec.Command("ip", args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("ip %v: %w: %s (of Debian's iproute2)", args, err, out)
	}
	return nil
}
