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

	"github.com/spf13/cobra"
)

// envMain has the test binary be the program.
const envMain = "ONELEASE_TEST_MAIN"

func TestMain(m *testing.M) {
	if os.Getenv("ONELEASE_PLUGIN") != "" {
		servePlugin()
	}
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
	// With -race a process would else wait for a second when it ends.
	race := "GORACE=atexit_sleep_ms=0 " + os.Getenv("GORACE")
	cmd.Env = append(os.Environ(), envMain+"=1", race, "TMPDIR="+t.TempDir())
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
		{"demo --kill everybody", []string{`--kill "everybody"`, "router, frontend, drain, leader, plugin, backend or none"}},
		{"demo --routers 2 --kill router --kill router", []string{"--kill", "give more --routers"}},
		{"balancer", []string{"--dir is not set", "cluster init", "cluster join", "onelease balancer --help"}},
		{"balancer --dir x --preset moon", []string{`--preset "moon"`, "lan or wan"}},
		{"balancer --dir x --log-level loud", []string{`--log-level "loud"`, "debug, info, warn or error"}},
		{"balancer x", []string{`"x"`, "onelease balancer --help"}},
		{"frontend", []string{"--dir is not set", "onelease frontend --help"}},
		{"frontend --dir x --router 192.0.2.1:7654", []string{"--router 192.0.2.1:7654", "in the clear"}},
		{"frontend --dir x --router here", []string{`--router "here"`, "host:port"}},
		{"frontend --dir x --dont-publish maybe", []string{`--dont-publish "maybe"`, "normal, inverted or auto"}},
		{"frontend --dir x --router-user u", []string{"--router-password-file", "give both"}},
		{"frontend --dir x --refuge --publisher", []string{"--refuge", "--publisher"}},
		{"frontend --dir x --publisher --sam 127.0.0.1:0", []string{"--sam", "only publishes"}},
		{"cluster frobnicate", []string{`unknown command "frobnicate"`, "onelease cluster --help"}},
		{"cluster init", []string{"--dir is not set", "onelease cluster init --help"}},
		{"cluster init --dir x --name b1 --address a:1", []string{"--keys is not set", "private key file"}},
		{"cluster invite --dir x --name y", []string{"--role is not set", "balancer, frontend, backend, guest or operator"}},
		{"cluster invite --dir x --name y --role king", []string{`--role "king"`, "balancer, frontend, backend, guest or operator"}},
		{"cluster invite --dir x --name y --role backend --non-voter", []string{"--non-voter", "only balancers vote"}},
		{"cluster invite --dir x --role backend", []string{"--name is not set"}},
		{"cluster join", []string{"--dir is not set", "onelease cluster join --help"}},
		{"cluster join --dir x token", []string{`unexpected argument "token"`}},
		{"cluster members", []string{"--dir is not set"}},
		{"cluster members --dir x --timeout 0s", []string{"--timeout 0s", "more than 0s"}},
		{"cluster remove --dir x", []string{"no balancer's ID given", "onelease cluster remove --help"}},
		{"cluster transfer a b --dir x", []string{`"b"`}},
		{"cluster drain a b --dir x", []string{`"b"`, "one frontend's name"}},
		{"cluster policy set --dir x", []string{"nothing to set"}},
		{"cluster policy set --dir x --own-life soon", []string{`"soon"`, "--own-life"}},
		{"cluster recover --dir x", []string{"--member is not set", "ID=HOST:PORT"}},
		{"cluster recover --dir x --member b1", []string{`--member "b1"`, "ID=HOST:PORT"}},
		{"demo --kill plugin", []string{"--kill plugin", "give --plugin PATH"}},
		{"demo --kill backend", []string{"--kill backend", "give --backends 2"}},
		{"demo --settings x", []string{"--settings", "--plugin"}},
		{"backend", []string{"--dir", "--keys", "onelease backend --help"}},
		{"backend x", []string{`"x"`, "onelease backend --help"}},
		{"backend --dir x --drain-limit 0s", []string{"--drain-limit 0s", "more than 0s"}},
		{"backend status", []string{"which backend", "--dir", "onelease backend status --help"}},
		{"plugin frobnicate", []string{`unknown command "frobnicate"`, "onelease plugin --help"}},
		{"plugin info", []string{"no plugin's name given"}},
		{"plugin remove a b", []string{`"b"`, "one plugin's name"}},
		{"demo --sam 0.0.0.0:7656", []string{"--sam 0.0.0.0:7656", "loopback"}},
		{"demo --sam 127.0.0.1:0 --kill router", []string{"--kill", "--sam"}},
		{"demo --sam 127.0.0.1:0 --kill-every 1s", []string{"--kill-every 1s", "10s or more"}},
		{"demo --sam 127.0.0.1:0 --kill-every 1m --routers 1", []string{"--kill-every", "--routers 2"}},
		{"demo --sam 127.0.0.1:0 --sam-udp 0.0.0.0:0", []string{"udp 0.0.0.0:0", "loopback"}},
		{"demo --kill-every 1m", []string{"--kill-every", "--sam"}},
		{"sam", []string{"no router", "--router NAME=HOST:PORT", "onelease sam --help"}},
		{"sam x", []string{`"x"`, "onelease sam --help"}},
		{"sam --router 127.0.0.1:7654", []string{"want NAME=HOST:PORT"}},
		{"sam --router a=127.0.0.1:7654,membr", []string{`"membr" is no role`, "member, publisher or refuge"}},
		{"sam --router a=192.0.2.1:7654", []string{"192.0.2.1:7654 is not on this machine"}},
		{"sam --router a=127.0.0.1:7654,member", []string{"no router is a publisher"}},
		{"sam --router a=127.0.0.1:7654,publisher", []string{"no router is a member"}},
		{"sam --router a=127.0.0.1:7654 --listen 0.0.0.0:7656", []string{"0.0.0.0:7656", "--tls-cert"}},
		{"sam --router a=127.0.0.1:7654 --listen 0.0.0.0:7656 --tls-cert x --tls-key y", []string{"0.0.0.0:7656", "--users"}},
		{"sam --router a=127.0.0.1:7654 --listen here", []string{`"here"`, "host:port"}},
		{"sam --router a=127.0.0.1:7654 --udp 0.0.0.0:7655", []string{"0.0.0.0:7655", "loopback"}},
		{"sam --router a=127.0.0.1:7654 --tls-cert x", []string{"--tls-key", "give both"}},
		{"sam --router a=127.0.0.1:7654 --auth", []string{"--auth", "--users"}},
		{"sam --router a=127.0.0.1:7654 --max-sessions -1", []string{"max-sessions -1"}},
		{"sam user frobnicate", []string{`unknown command "frobnicate"`}},
		{"sam user add", []string{"no user's name given"}},
		{"sam user add a", []string{"--users is not set"}},
		{"key frobnicate", []string{`unknown command "frobnicate"`, "onelease key --help"}},
		{"key generate", []string{"no file given", "onelease key generate --help"}},
		{"lookup", []string{"no Destination given", "onelease lookup --help"}},
		{"doctor", []string{"nothing to check", "--dir", "--keys", "--router", "onelease doctor --help"}},
		{"doctor x", []string{`"x"`, "onelease doctor --help"}},
		{"doctor --router a=127.0.0.1:7654 --running --stopped", []string{"--running and --stopped", "give one of them"}},
		{"doctor --router a=127.0.0.1", []string{`"127.0.0.1"`, "host:port of its I2CP"}},
		{"doctor --router a=127.0.0.1:7654 --console 192.0.2.1:7070", []string{"--console", "192.0.2.1:7070", "on this machine"}},
		{"doctor --router a=127.0.0.1:7654,membr", []string{`"membr" is no role`, "member, publisher or refuge"}},
		{"simnet", []string{"--i2cp is not set"}},
		{"simnet --i2cp 0.0.0.0:7654", []string{"0.0.0.0:7654", "loopback"}},
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

// TestEveryCommandTeaches: each has a long help and an example that names it.
func TestEveryCommandTeaches(t *testing.T) {
	var look func(cmd *cobra.Command)
	look = func(cmd *cobra.Command) {
		if len(cmd.Long) < 50 || !strings.Contains(cmd.Example, cmd.CommandPath()) {
			t.Errorf("%s: long help %q, example %q", cmd.CommandPath(), cmd.Long, cmd.Example)
		}
		for _, sub := range cmd.Commands() {
			look(sub)
		}
	}
	look(root())
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
