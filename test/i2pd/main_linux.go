package i2pd

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"syscall"
	"testing"
	"time"
)

// envInside marks the process that Main started inside the namespaces.
const envInside = "ONELEASE_I2PD_INSIDE"

// grace is how long the inner test binary may take to end on a signal (SIGQUIT makes it
// print its goroutines) before it is killed.
const grace = 5 * time.Second

// Main runs the tests of a package, for its TestMain: in a closed network namespace of
// their own when tests with real routers are wanted, else right here. It returns the exit
// code. Where no namespace can be had, the tests run here too, and Require says why.
func Main(m *testing.M) int {
	switch {
	case os.Getenv(envInside) != "":
		setup = enter()
		return m.Run()
	case !wanted():
		return m.Run()
	}
	code, err := runInside()
	if err != nil {
		setup = err
		return m.Run()
	}
	return code
}

// runInside runs this binary again with the same arguments inside new namespaces, and
// returns its exit code, or an error if it could not be started.
func runInside() (int, error) {
	sweep(os.TempDir())
	dir, err := newRunDir()
	if err != nil {
		return 0, err
	}
	// Pdeathsig follows the thread that starts the child, so this thread has to stay.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT)
	defer signal.Stop(signals)
	child, err := startInside(dir.path)
	if err != nil {
		dir.remove()
		return 0, err
	}
	done := make(chan struct{})
	go forward(signals, child.Process, done)
	err = child.Wait()
	close(done)
	dir.remove() // before any output, which is the end of us if nobody reads it
	return exitCode(err)
}

func startInside(dir string) (*exec.Cmd, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find the test binary: %w", err)
	}
	child := exec.Command(self, os.Args[1:]...)
	child.Stdin, child.Stdout, child.Stderr = os.Stdin, os.Stdout, os.Stderr
	child.Env = append(os.Environ(), envInside+"=1", "TMPDIR="+dir)
	child.SysProcAttr = namespaces()
	if err := child.Start(); err != nil {
		return nil, fmt.Errorf("cannot create a closed network namespace: %w: run as root (in Docker: --cap-add SYS_ADMIN), "+
			"or let users create namespaces (sysctl kernel.apparmor_restrict_unprivileged_userns=0 on Ubuntu)", err)
	}
	return child, nil
}

// namespaces asks for the namespaces, and for death with the parent. Without root a user
// namespace, in which we look like root, makes the others possible.
func namespaces() *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{
		Cloneflags:   syscall.CLONE_NEWNET | syscall.CLONE_NEWPID,
		Unshareflags: syscall.CLONE_NEWNS, // Go then also makes the mounts private
		Pdeathsig:    syscall.SIGKILL,
	}
	if uid := os.Geteuid(); uid != 0 {
		attr.Cloneflags |= syscall.CLONE_NEWUSER
		attr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: uid, Size: 1}}
		attr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}}
	}
	return attr
}

// forward passes signals on until done is closed, and makes sure that the first one ends
// the child. So does the end of our parent: "go test" killed with -9 tells nobody.
func forward(signals <-chan os.Signal, child *os.Process, done <-chan struct{}) {
	var kill <-chan time.Time
	parent := os.Getppid()
	look := time.NewTicker(time.Second)
	defer look.Stop()
	for {
		select {
		case s := <-signals:
			_ = child.Signal(s) // it may have ended meanwhile
			if kill == nil {
				kill = time.After(grace)
			}
		case <-look.C:
			if os.Getppid() != parent {
				_ = child.Kill()
			}
		case <-kill:
			_ = child.Kill()
		case <-done:
			return
		}
	}
}

func exitCode(err error) (int, error) {
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0, nil
	case !errors.As(err, &exit):
		return 0, fmt.Errorf("wait for the tests inside the namespace: %w", err)
	}
	if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		fmt.Fprintln(os.Stderr, "tests inside the namespace:", exit)
		return 128 + int(status.Signal()), nil
	}
	return exit.ExitCode(), nil
}
