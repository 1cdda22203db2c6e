package cluster_test

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// A process is a balancer that can be killed and started again.
type process struct {
	t      *testing.T
	number int
	name   string
	ground ground
	cfg    nodeConfig
	// program is that of another version; empty for this binary.
	program string

	mu      sync.Mutex
	cmd     *exec.Cmd // nil while it does not run
	stdin   io.WriteCloser
	ended   chan struct{}
	asked   int
	waiting map[int]chan nodeState
}

// A ground is where balancers run: it has their addresses, and starts them.
type ground interface {
	address(number int) string
	start(number int, cmd *exec.Cmd) error
}

// start starts it. That it cannot start shows in its log.
func (p *process) start() {
	p.t.Helper()
	cfg, err := json.Marshal(p.cfg)
	if err != nil {
		p.t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		p.t.Fatal(err)
	}
	program := cmp.Or(p.program, self)
	log, err := os.OpenFile(p.logPath(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		p.t.Fatal(err)
	}
	defer log.Close()
	cmd := exec.Command(program)
	cmd.Env = append(os.Environ(), envNode+"="+string(cfg))
	cmd.Stderr = log
	stdin, err := cmd.StdinPipe()
	if err != nil {
		p.t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		p.t.Fatal(err)
	}
	if err := p.ground.start(p.number, cmd); err != nil {
		p.t.Fatalf("start balancer %s: %v", p.name, err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cmd, p.stdin, p.ended, p.waiting = cmd, stdin, make(chan struct{}), map[int]chan nodeState{}
	go p.read(cmd, stdout, p.ended)
}

func (p *process) logPath() string { return p.cfg.Dir + ".log" }

// read passes on answers until the process ends.
func (p *process) read(cmd *exec.Cmd, stdout io.Reader, ended chan struct{}) {
	defer close(ended)
	lines := bufio.NewScanner(stdout)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var a nodeState
		if err := json.Unmarshal(lines.Bytes(), &a); err != nil {
			continue // what else the binary prints
		}
		p.mu.Lock()
		to := p.waiting[a.ID]
		delete(p.waiting, a.ID)
		p.mu.Unlock()
		if to != nil {
			to <- a // has room
		}
	}
	_ = cmd.Wait() // how it ended is in its log
}

var errNoAnswer = errors.New("balancer does not answer")

// ask asks for its state. A process that is stopped, or gone, does not answer.
func (p *process) ask(barrier bool, within time.Duration) (nodeState, error) {
	return p.put(question{Barrier: barrier}, within)
}

// put puts any question.
func (p *process) put(q question, within time.Duration) (nodeState, error) {
	p.mu.Lock()
	if p.cmd == nil {
		p.mu.Unlock()
		return nodeState{}, errNoAnswer
	}
	p.asked++
	answer, ended, stdin := make(chan nodeState, 1), p.ended, p.stdin
	p.waiting[p.asked] = answer
	q.ID = p.asked
	line, _ := json.Marshal(q) // never fails
	p.mu.Unlock()
	if _, err := stdin.Write(append(line, '\n')); err != nil {
		return nodeState{}, errNoAnswer
	}
	timeout := time.NewTimer(within)
	defer timeout.Stop()
	select {
	case a := <-answer:
		if a.Error != "" {
			return a, fmt.Errorf("balancer %s: %s", p.name, a.Error)
		}
		return a, nil
	case <-ended:
	case <-timeout.C:
	}
	return nodeState{}, errNoAnswer
}

// running reports whether it has not ended.
func (p *process) running() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd == nil {
		return false
	}
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}

// kill ends it as kill -9 does, and waits until it is gone.
func (p *process) kill() {
	p.end(func(cmd *exec.Cmd, _ io.Closer) { _ = cmd.Process.Kill() })
}

// stop ends it in order: it hands the lead over.
func (p *process) stop() {
	p.end(func(_ *exec.Cmd, stdin io.Closer) { stdin.Close() })
}

// endTime is how long a balancer may take to end in order.
const endTime = 30 * time.Second

func (p *process) end(how func(*exec.Cmd, io.Closer)) {
	p.mu.Lock()
	cmd, stdin, ended := p.cmd, p.stdin, p.ended
	p.cmd = nil
	p.mu.Unlock()
	if cmd == nil {
		return
	}
	how(cmd, stdin)
	select {
	case <-ended:
	case <-time.After(endTime):
		p.t.Errorf("balancer %s did not end in %v", p.name, endTime)
		_ = cmd.Process.Kill()
		<-ended
	}
	stdin.Close()
}

// signal sends it a signal.
func (p *process) signal(s os.Signal) {
	p.t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.t.Fatalf("signal %v to balancer %s: %v", s, p.name, err)
	}
}

// tail is the end of its log.
func (p *process) tail() string {
	b, err := os.ReadFile(p.logPath())
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf("--- %s\n%s", filepath.Base(p.logPath()), b[max(0, len(b)-3000):])
}

// lastLine is the last of its log: why it ended, if it could not go on.
func (p *process) lastLine() string {
	b, err := os.ReadFile(p.logPath())
	if err != nil {
		return err.Error()
	}
	b = bytes.TrimSpace(b)
	return string(b[bytes.LastIndexByte(b, '\n')+1:])
}

// logged reports whether its log, of all its lives, has that text.
func (p *process) logged(text string) bool {
	b, err := os.ReadFile(p.logPath())
	return err == nil && bytes.Contains(b, []byte(text))
}
