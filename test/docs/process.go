package docs

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"

	"github.com/onelease/onelease/internal/admin"
)

// goesOn are commands that run until they are ended.
var goesOn = regexp.MustCompile(`^onelease (up|simnet|balancer|frontend|backend|sam) --|^onelease demo --sam|^onelease status [^#]*--watch|^go run \./examples/`)

// A process is a command that goes on.
type process struct {
	command  string
	cmd      *exec.Cmd
	log      string // file of its output
	ended    chan struct{}
	err      error
	ready    func(context.Context) error
	settled  bool
	terminal *terminal
}

// start starts one. It is awaited before the next command that ends, so those that follow
// each other on a page start side by side.
func (r *Runner) start(ctx context.Context, command string, note Note) error {
	r.started++
	name := fmt.Sprintf("log-%d", r.started)
	log, err := os.Create(filepath.Join(os.TempDir(), name))
	if err != nil {
		return err
	}
	defer log.Close()
	watched, ready := readiness(command, filepath.Join(os.TempDir(), name+".sock"))
	p := &process{command: command, log: log.Name(), ready: ready, ended: make(chan struct{})}
	if ready == nil {
		p.ready = p.hasPrinted
	}
	p.cmd = r.shell(ctx, "exec "+watched) // signals are for it, not for a shell
	p.cmd.Stdout, p.cmd.Stderr = log, log
	if p.terminal, err = typed(p.cmd, note.Typed); err != nil {
		return err
	}
	if err := p.cmd.Start(); err != nil {
		return err
	}
	r.running = append(r.running, p)
	go func() {
		p.err = p.cmd.Wait()
		p.terminal.close()
		close(p.ended)
	}()
	return nil
}

// settle awaits all that goes on.
func (r *Runner) settle(ctx context.Context) error {
	for _, p := range r.running {
		began := time.Now()
		limited, cancel := context.WithTimeout(ctx, r.limit())
		err := p.await(limited)
		cancel()
		if err != nil {
			return fmt.Errorf("%s: %w; its log:\n%s", p.command, err, p.output())
		}
		if !p.settled {
			r.log("%5.1f s  until ready: %s", time.Since(began).Seconds(), p.command)
		}
		p.settled = true
	}
	return nil
}

// await returns when the process is ready; once it was, only whether it still runs.
func (p *process) await(ctx context.Context) error {
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	for {
		select {
		case <-p.ended:
			return fmt.Errorf("it has ended: %v", p.err)
		default:
		}
		if p.settled {
			return nil
		}
		err := p.ready(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-p.ended:
		case <-ctx.Done():
			return fmt.Errorf("it does not get ready: %w", err)
		}
	}
}

func (p *process) output() string {
	text, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

func (p *process) hasPrinted(context.Context) error {
	if p.output() == "" {
		return errors.New("it has printed nothing")
	}
	return nil
}

// Stop ends, as Ctrl-C does, what goes on and begins so, and wants exit code 0.
func (r *Runner) Stop(command string) error {
	for i := len(r.running) - 1; i >= 0; i-- {
		p := r.running[i]
		if !strings.HasPrefix(p.command, command) {
			continue
		}
		r.running = append(r.running[:i], r.running[i+1:]...)
		if err := p.end(); err != nil {
			return fmt.Errorf("%s: at its end: %w; its log:\n%s", p.command, err, p.output())
		}
	}
	return nil
}

func (p *process) end() error {
	if err := syscall.Kill(-p.cmd.Process.Pid, syscall.SIGINT); err != nil {
		return err
	}
	select {
	case <-p.ended:
		if strings.HasPrefix(p.command, "go run ") {
			return nil // it ends with 1 whatever the program does
		}
		return p.err
	case <-time.After(defaultLimit):
		return errors.New("it does not end")
	}
}

// Close kills what goes on.
func (r *Runner) Close() {
	for _, p := range r.running {
		_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL) // it may be gone
		<-p.ended
	}
	r.running = nil
}

var (
	adminFlag = regexp.MustCompile(`--admin (\S+)`)
	listens   = regexp.MustCompile(`--(?:i2cp|http-proxy|sam) (\S+)`)
	role      = regexp.MustCompile(`^onelease (up|balancer|frontend|backend|sam)\b`)
)

// readiness is the command with an admin address, if it is one that may have it, and how to
// see there, or at the ports that it opens, that it is ready. It is nil if there is no way.
func readiness(command, socket string) (string, func(context.Context) error) {
	if !role.MatchString(command) {
		if ports := listens.FindAllStringSubmatch(command, -1); ports != nil && !strings.HasPrefix(command, "onelease status") {
			return command, func(ctx context.Context) error { return reachable(ctx, ports[len(ports)-1][1]) }
		}
		return command, nil
	}
	given := adminFlag.FindStringSubmatch(command)
	if given == nil {
		addr := admin.Unix + socket
		return role.ReplaceAllString(command, "$0 --admin "+addr), func(ctx context.Context) error { return saysReady(ctx, addr) }
	}
	if strings.Contains(command, "--admin-tls-cert") {
		return command, func(ctx context.Context) error { return reachable(ctx, given[1]) }
	}
	return command, func(ctx context.Context) error { return saysReady(ctx, given[1]) }
}

// saysReady asks a node, at its admin address, whether it is.
func saysReady(ctx context.Context, addr string) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	report, err := (&admin.Client{Addr: addr}).Report(ctx)
	if err == nil && !report.Ready {
		err = fmt.Errorf("it is not ready: %v", report.Checks)
	}
	return err
}

func reachable(ctx context.Context, addr string) error {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
	if err == nil {
		conn.Close()
	}
	return err
}
