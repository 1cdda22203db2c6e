package docs

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// envPage has the test binary run a page, inside of the page's own namespaces.
const envPage = "ONELEASE_DOCS_PAGE"

// envProgram is the directory with the program.
const envProgram = "ONELEASE_DOCS_PROGRAM"

func TestMain(m *testing.M) {
	page := os.Getenv(envPage)
	if page == "" {
		flag.Parse()
		if err := flag.Set("test.parallel", "8"); err != nil { // pages mostly wait
			panic(err)
		}
		os.Exit(m.Run())
	}
	if err := inside(page); err != nil {
		fmt.Println("FAIL:", err)
		os.Exit(1)
	}
}

// runInside runs this binary again in new namespaces, as process 1 of its own, so that all it
// has started ends with it. Its files go with dir.
func runInside(ctx context.Context, page, program, dir string) (output []byte, err error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	// Pdeathsig follows the thread that starts the child, so this thread has to stay.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	child := exec.CommandContext(ctx, self, "-test.run", "^$")
	child.Env = append(os.Environ(), envPage+"="+page, envProgram+"="+program, "TMPDIR="+dir)
	child.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:   syscall.CLONE_NEWNET | syscall.CLONE_NEWPID,
		Unshareflags: syscall.CLONE_NEWNS, // Go then also makes the mounts private
		Pdeathsig:    syscall.SIGKILL,
	}
	return child.CombinedOutput()
}

// noPage has the machine of a page made, and nothing run there.
const noPage = "none"

// namespaces says why there are none here, or nil.
func namespaces(ctx context.Context, dir string) error {
	if os.Geteuid() != 0 {
		return errors.New("namespaces need root")
	}
	if out, err := runInside(ctx, noPage, "", dir); err != nil {
		return fmt.Errorf("no namespaces here: %w: %s (in Docker: --cap-add SYS_ADMIN)", err, out)
	}
	return nil
}

// inside makes the machine of a page and runs that.
func inside(page string) error {
	if err := machine(); err != nil || page == noPage {
		return err
	}
	root, err := filepath.Abs("../..")
	if err != nil {
		return err
	}
	text, err := os.ReadFile(filepath.Join(root, page))
	if err != nil {
		return err
	}
	if err := overlay(root); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), pageLimit())
	defer cancel()
	runner := Runner{
		Dir:  root,
		Env:  []string{"PATH=" + os.Getenv(envProgram) + ":" + os.Getenv("PATH")},
		Plan: plans[page],
		Long: long, Limit: commandLimit(),
		Log: func(format string, args ...any) { fmt.Printf(format+"\n", args...) },
	}
	if err := runner.Run(ctx, Steps(string(text))); err != nil {
		return err
	}
	began := time.Now()
	err = runner.Stop("") // what goes on ends as it should, too
	runner.log("%5.1f s  until all has ended", time.Since(began).Seconds())
	return err
}

// commandLimit is for one command of a page.
func commandLimit() time.Duration {
	if long {
		return 5 * time.Minute
	}
	return time.Minute
}

// machine is a loopback with the addresses that pages use, and directories of the system that
// can be written to, and are as they were afterwards.
func machine() error {
	if err := unix.Mount("proc", "/proc", "proc", 0, ""); err != nil {
		return fmt.Errorf("mount /proc inside the new namespaces: %w", err)
	}
	for _, args := range [][]string{{"link", "set", "lo", "up"}, {"address", "add", "10.0.0.1/24", "dev", "lo"}} {
		if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
			return fmt.Errorf("ip %v: %w: %s (of Debian's iproute2)", args, err, out)
		}
	}
	for _, dir := range []string{"/etc", "/var/lib", "/srv", "/run"} {
		if err := overlay(dir); err != nil {
			return err
		}
	}
	return nil
}

// overlay has what is written to dir go to memory.
func overlay(dir string) error {
	top, err := os.MkdirTemp("", "overlay-")
	if err != nil {
		return err
	}
	if err := unix.Mount("tmpfs", top, "tmpfs", 0, "mode=755"); err != nil {
		return fmt.Errorf("mount %s: %w", top, err)
	}
	upper, work := filepath.Join(top, "upper"), filepath.Join(top, "work")
	if err := errors.Join(os.Mkdir(upper, 0o755), os.Mkdir(work, 0o755)); err != nil {
		return err
	}
	if err := unix.Mount("overlay", dir, "overlay", 0, "lowerdir="+dir+",upperdir="+upper+",workdir="+work); err != nil {
		return fmt.Errorf("mount an overlay on %s: %w", dir, err)
	}
	return nil
}
