package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/onelease/onelease/test/docs"
)

// openTerminal returns both ends of a pseudoterminal: the person's and the
// program's.
func openTerminal(t *testing.T) (person, program *os.File) {
	t.Helper()
	person, program, err := docs.OpenTerminal()
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { person.Close(); program.Close() })
	return person, program
}

// enter types a line once the terminal shows no more what is typed, which is a
// moment after the question: nobody is that fast.
func enter(t *testing.T, person, terminal *os.File, line string) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
		state, err := unix.IoctlGetTermios(int(terminal.Fd()), unix.TCGETS)
		if err != nil {
			t.Fatal(err)
		}
		if state.Lflag&unix.ECHO == 0 {
			fmt.Fprintln(person, line)
			return
		}
	}
	t.Fatal("the terminal shows what is typed")
}

// atPrompt is the program with somebody at its terminal.
func atPrompt(t *testing.T, terminal *os.File, args ...string) *process {
	t.Helper()
	d := &process{t: t, cmd: program(t, args...)}
	d.cmd.Stdin, d.cmd.Stderr = terminal, d
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

// TestPrompt types a new passphrase and then another, Ctrl-C, and a token that
// is cut. Nothing of it is shown.
func TestPrompt(t *testing.T) {
	t.Parallel()
	person, terminal := openTerminal(t)
	initArgs := []string{"cluster", "init", "--dir", filepath.Join(t.TempDir(), "b1"), "--name", "b1", "--address", "127.0.0.1:1", "--keys", keyFile(t)}
	d := atPrompt(t, terminal, initArgs...)
	d.says("New passphrase for the Destination's keys: ")
	enter(t, person, terminal, "correct horse")
	d.says("The same again: ")
	enter(t, person, terminal, "battery staple")
	d.failed("differ: nothing was made")

	d = atPrompt(t, terminal, initArgs...)
	d.says("New passphrase")
	d.cmd.Process.Signal(os.Interrupt)
	d.failed("interrupted")

	d = atPrompt(t, terminal, "cluster", "join", "--dir", filepath.Join(t.TempDir(), "b2"))
	d.says("Token: ")
	enter(t, person, terminal, strings.Repeat("horse", 99))
	d.failed("not a join token")

	shown := make([]byte, 4096)
	person.SetReadDeadline(time.Now().Add(time.Second))
	terminal.WriteString("end") // so that there is something to read
	n, _ := person.Read(shown)
	if s := string(shown[:n]); strings.Contains(s, "horse") || strings.Contains(s, "staple") {
		t.Errorf("the terminal shows %q", s)
	}
}

// failed waits until it has ended with exit code 1 and those words.
func (d *process) failed(words string) {
	d.t.Helper()
	if got := code(d.t, d.cmd.Wait()); got != exitFailed || !strings.Contains(d.log(), words) {
		d.t.Errorf("exit code %d, want %d and %q: %s", got, exitFailed, words, d.log())
	}
}
