package docs

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// A terminal is that of a command, with its other end.
type terminal struct{ person, program *os.File }

// typed gives the command a terminal where these lines have been typed ahead. Without lines it
// gets nothing.
func typed(cmd *exec.Cmd, lines []string) (*terminal, error) {
	if len(lines) == 0 {
		return nil, nil
	}
	person, program, err := OpenTerminal()
	if err != nil {
		return nil, err
	}
	cmd.Stdin = program
	_, err = fmt.Fprintln(person, strings.Join(lines, "\n"))
	return &terminal{person, program}, err
}

// OpenTerminal returns both ends of a pseudoterminal: the person's and the program's.
func OpenTerminal() (person, program *os.File, err error) {
	person, err = os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("no pseudoterminals here: %w", err)
	}
	err = unix.IoctlSetPointerInt(int(person.Fd()), unix.TIOCSPTLCK, 0)
	var n int
	if err == nil {
		n, err = unix.IoctlGetInt(int(person.Fd()), unix.TIOCGPTN)
	}
	if err == nil {
		program, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|syscall.O_NOCTTY, 0)
	}
	if err != nil {
		person.Close()
		return nil, nil, fmt.Errorf("no pseudoterminals here: %w", err)
	}
	return person, program, nil
}

func (t *terminal) close() {
	if t != nil {
		t.person.Close()
		t.program.Close()
	}
}
