package plugin

import (
	"errors"
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"
)

// isolate gives cmd a process group of its own, and has it end with us.
func isolate(cmd *exec.Cmd) error {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	return nil
}

// limit sets the resource limits of a process.
func limit(pid int, l Limits) error {
	for _, r := range []struct {
		resource int
		value    uint64
	}{
		{unix.RLIMIT_DATA, uint64(l.MemoryMiB) << 20},
		{unix.RLIMIT_NOFILE, uint64(l.OpenFiles)},
		{unix.RLIMIT_NPROC, uint64(l.Processes)},
		{unix.RLIMIT_CORE, 0},
	} {
		if r.value == 0 && r.resource != unix.RLIMIT_CORE {
			continue
		}
		err := unix.Prlimit(pid, r.resource, &unix.Rlimit{Cur: r.value, Max: r.value}, nil)
		if errors.Is(err, unix.ESRCH) {
			return nil // it has ended already, which others tell
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// awaitExit waits for the end of a child, and leaves its number taken.
func awaitExit(pid int) {
	for {
		err := unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
		if !errors.Is(err, unix.EINTR) {
			return
		}
	}
}

func killGroup(pid int) { unix.Kill(-pid, unix.SIGKILL) }
