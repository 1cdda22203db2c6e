package test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// A program is the onelease command, for tests that run it as an operator does.
type program struct {
	t    testing.TB
	path string
}

// buildProgram builds it.
func buildProgram(t testing.TB) *program {
	t.Helper()
	p := &program{t, filepath.Join(t.TempDir(), "onelease")}
	if out, err := exec.Command("go", "build", "-o", p.path, "../cmd/onelease").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return p
}

// An outcome is what a command came to.
type outcome struct {
	out, said string
	code      int
	took      time.Duration
}

// run runs a command to its end.
func (p *program) run(args ...string) outcome { return p.pipe("", args...) }

// pipe is run with that on stdin.
func (p *program) pipe(stdin string, args ...string) outcome {
	return p.finish(exec.Command(p.path, args...), stdin)
}

func (p *program) finish(cmd *exec.Cmd, stdin string) outcome {
	p.t.Helper()
	var out, said bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &out, &said
	began := time.Now()
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		p.t.Errorf("%s: %v", cmd, err)
	}
	return outcome{out.String(), said.String(), cmd.ProcessState.ExitCode(), time.Since(began)}
}

// must is run for what has to work, and returns what it printed.
func (p *program) must(stdin string, args ...string) string {
	p.t.Helper()
	r := p.pipe(stdin, args...)
	if r.code != 0 {
		p.t.Fatalf("onelease %s: exit code %d: %s", strings.Join(args, " "), r.code, r.said)
	}
	return r.out
}

// A service is a command that runs until it is told to end.
type service struct {
	program *program
	cmd     *exec.Cmd

	mu   sync.Mutex
	said bytes.Buffer
}

// Write takes what it says on stderr.
func (s *service) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.said.Write(b)
}

func (s *service) log() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.said.String()
}

// start starts one, which ends with the test at the latest.
func (p *program) start(args ...string) *service {
	p.t.Helper()
	s := p.prepare(args...)
	s.begin()
	return s
}

func (p *program) prepare(args ...string) *service {
	s := &service{program: p, cmd: exec.Command(p.path, args...)}
	s.cmd.Stderr = s
	return s
}

func (s *service) begin() {
	t := s.program.t
	t.Helper()
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.end()
		if t.Failed() {
			t.Logf("onelease %s said:\n%s", strings.Join(s.cmd.Args[1:], " "), s.log())
		}
	})
}

// startSaying is start of a command that prints what it serves, as JSON, when it does.
func (p *program) startSaying(v any, args ...string) *service {
	p.t.Helper()
	s := p.prepare(args...)
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		p.t.Fatal(err)
	}
	s.begin()
	if err := json.NewDecoder(out).Decode(v); err != nil {
		p.t.Fatalf("onelease %s serves nothing: %v: %s", args[0], err, s.log())
	}
	return s
}

// end is SIGTERM, after which it must exit with 0.
func (s *service) end() {
	if s.cmd.ProcessState != nil {
		return
	}
	late := time.AfterFunc(20*time.Second, func() { s.cmd.Process.Kill() })
	defer late.Stop()
	_ = s.cmd.Process.Signal(syscall.SIGTERM) // it may have ended
	if err := s.cmd.Wait(); err != nil {
		s.program.t.Errorf("%s: %v", fmt.Sprint(s.cmd.Args[1:]), err)
	}
}
