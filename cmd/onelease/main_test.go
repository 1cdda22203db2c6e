package main

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// envMain has the test binary be the program.
const envMain = "ONELEASE_TEST_MAIN"

func TestMain(m *testing.M) {
	if os.Getenv(envMain) != "" {
		main()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// program is the program with those arguments, and a directory of its own for
// what is temporary.
func program(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, args...)
	cmd.Env = append(os.Environ(), envMain+"=1", "TMPDIR="+t.TempDir())
	cmd.WaitDelay = 10 * time.Second
	return cmd
}

// code is the exit code that err, of Wait or Run, stands for.
func code(t *testing.T, err error) int {
	t.Helper()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit):
		return exit.ExitCode()
	}
	t.Fatal(err)
	return 0
}

// TestUsage: wrong use exits with 2, says what is wrong and what to do, and
// does nothing else.
func TestUsage(t *testing.T) {
	for _, test := range []struct {
		args string
		want []string
	}{
		{"frobnicate", []string{`unknown command "frobnicate"`, "onelease --help"}},
		{"--frobnicate", []string{"unknown flag: --frobnicate", "onelease --help"}},
		{"demo --frobnicate", []string{"unknown flag: --frobnicate", "onelease demo --help"}},
		{"demo frobnicate", []string{`"frobnicate"`, "onelease demo --help"}},
		{"demo --routers many", []string{`"many"`, "--routers", "onelease demo --help"}},
		{"demo --routers 0", []string{"--routers 0", "want 1 to 100"}},
		{"demo --routers -1", []string{"--routers -1", "want 1 to 100"}},
		{"demo --tunnels 17", []string{"--tunnels 17", "want 1 to 16"}},
		{"demo --for 0s", []string{"--for 0s", "want 1s to 24h"}},
		{"demo --age -1s", []string{"--age -1s", "want 0s to 24h"}},
		{"demo --for 30", []string{`"30"`, "--for", "onelease demo --help"}},
		{"demo --kill everybody", []string{`--kill "everybody"`, "router, frontend, drain, leader or none"}},
		{"demo --routers 2 --kill router --kill router", []string{"--kill", "give more --routers"}},
		{"demo --policy both", []string{`--policy "both"`, "sticky or merged"}},
	} {
		t.Run(test.args, func(t *testing.T) {
			t.Parallel()
			var out, said bytes.Buffer
			cmd := program(t, strings.Fields(test.args)...)
			cmd.Stdout, cmd.Stderr = &out, &said
			if got := code(t, cmd.Run()); got != exitUsage {
				t.Errorf("exit code %d, want %d", got, exitUsage)
			}
			for _, want := range test.want {
				if !strings.Contains(said.String(), want) {
					t.Errorf("%q does not say %q", said.String(), want)
				}
			}
			if out.Len() > 0 || strings.Count(said.String(), "\n") != 1 {
				t.Errorf("wants one line on stderr, got %q and on stdout %q", said.String(), out.String())
			}
		})
	}
}

func TestHelp(t *testing.T) {
	for _, args := range []string{"", "--help", "demo --help"} {
		out, err := program(t, strings.Fields(args)...).Output()
		if err != nil || !strings.Contains(string(out), "onelease demo") || !strings.Contains(string(out), "Exit codes") {
			t.Errorf("%q: %v, %s", args, err, out)
		}
	}
}

// TestInterrupt ends the demo as Ctrl-C does, while it waits for tunnels.
func TestInterrupt(t *testing.T) {
	for _, signal := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		cmd := program(t, "demo", "--json")
		said, err := cmd.StderrPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewReader(said)
		if _, err := lines.ReadString('\n'); err != nil { // it has begun
			t.Error(err)
		}
		cmd.Process.Signal(signal)
		rest, _ := io.ReadAll(lines)
		if got := code(t, cmd.Wait()); got != exitFailed || !strings.Contains(string(rest), "onelease: interrupted\n") {
			t.Errorf("%v: exit code %d, said %q", signal, got, rest)
		}
		tmp := strings.TrimPrefix(cmd.Env[len(cmd.Env)-1], "TMPDIR=")
		if left, err := os.ReadDir(tmp); len(left) > 0 || err != nil {
			t.Errorf("%v: left behind %v, %v", signal, left, err)
		}
	}
}
