package plugin

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"time"
)

// maxHandshake bounds the first line of a plugin, in bytes.
const maxHandshake = 16 << 10

// leftoverWait is how long the outputs of a process that ended are still read. They end
// with it, unless a process that it started has left its group and holds them.
const leftoverWait = 500 * time.Millisecond

// A process is a running program in a process group of its own.
type process struct {
	cmd  *exec.Cmd
	logs *logs
	// hello has the first line of its output, which go-plugin reads; the rest is log.
	hello   firstLine
	out, in [2]*os.File // standard output and error: where we read, where it writes
	readers sync.WaitGroup

	exited chan struct{} // closed when it has ended, its group was killed and its outputs are read
	err    error         // then: how it ended

	mu     sync.Mutex
	reaped bool // its number may be another process's
}

// startProcess runs cmd. Nothing that it starts outlives it, but for what leaves its
// process group; and it does not outlive us. Limits are set before it is told what to do.
func startProcess(cmd *exec.Cmd, limits Limits, logs *logs) (*process, error) {
	p := &process{cmd: cmd, logs: logs, exited: make(chan struct{}), hello: firstLine{came: make(chan struct{})}}
	if err := isolate(cmd); err != nil {
		return nil, err
	}
	if err := p.pipes(); err != nil {
		return nil, err
	}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = nil, p.in[0], p.in[1]
	p.readers.Go(p.readOutput)
	p.readers.Go(func() { logs.readFrom(p.out[1]) })
	started := make(chan error)
	go p.live(limits, started)
	if err := <-started; err != nil {
		p.endOutputs()
		return nil, err
	}
	return p, nil
}

func (p *process) pipes() (err error) {
	for i := range p.out {
		if p.out[i], p.in[i], err = os.Pipe(); err != nil {
			closeAll(append(p.out[:i], p.in[:i]...))
			return fmt.Errorf("pipe for the plugin's output: %w", err)
		}
	}
	return nil
}

func closeAll(files []*os.File) {
	for _, f := range files {
		f.Close()
	}
}

// live starts the program and waits for its end, on a thread that stays: the kernel
// ends the program when the thread that began it ends, not the process (prctl(2),
// PR_SET_PDEATHSIG).
func (p *process) live(limits Limits, started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	err := p.cmd.Start()
	closeAll(p.in[:])
	if err != nil {
		started <- err
		return
	}
	if err := limit(p.cmd.Process.Pid, limits); err != nil {
		p.kill()
		p.cmd.Wait()
		started <- fmt.Errorf("set its limits: %w", err)
		return
	}
	started <- nil
	awaitExit(p.cmd.Process.Pid)
	p.mu.Lock()
	killGroup(p.cmd.Process.Pid) // what it started
	p.reaped = true
	p.mu.Unlock()
	p.err = p.cmd.Wait()
	p.endOutputs()
	close(p.exited)
}

// endOutputs reads what is left of the outputs.
func (p *process) endOutputs() {
	by := time.Now().Add(leftoverWait)
	for _, f := range p.out {
		f.SetReadDeadline(by)
	}
	p.readers.Wait()
	if !time.Now().Before(by) {
		p.logs.log.Warn("something that the plugin started has left its process group and outlives it")
	}
	closeAll(p.out[:])
	p.logs.tellSuppressed(p.logs.limit.rest())
}

// readOutput hands the first line on and takes the others for a log.
func (p *process) readOutput() {
	in := bufio.NewReaderSize(p.out[0], maxHandshake)
	line, err := in.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		line = append(bytes.Clone(line[:100]), "..."...)
	}
	p.hello.set(append(bytes.Clone(line), '\n'))
	if err == nil || errors.Is(err, bufio.ErrBufferFull) {
		p.logs.readFrom(in)
	}
}

// A firstLine is a Reader of a line that comes later. It outlives the process: a
// program that says something and ends is to be quoted.
type firstLine struct {
	came chan struct{}
	line bytes.Reader
}

func (l *firstLine) set(line []byte) {
	l.line.Reset(line)
	close(l.came)
}

func (l *firstLine) Read(p []byte) (int, error) {
	<-l.came
	return l.line.Read(p)
}

func (l *firstLine) Close() error { return nil }

// kill ends the process and its group. It may be called at any time.
func (p *process) kill() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.reaped {
		killGroup(p.cmd.Process.Pid)
	}
}

func (p *process) pid() int { return p.cmd.Process.Pid }

// status is how it ended, in words, once it has.
func (p *process) status() string {
	if p.err == nil {
		return "exit status 0"
	}
	return p.err.Error()
}
