package docs

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"time"
)

// Limits of a Runner's.
const (
	defaultLimit = time.Minute
	pollInterval = 200 * time.Millisecond
)

// A Runner runs the steps of a page, one after the other. Fields may be set until Run.
type Runner struct {
	// Dir is where commands run.
	Dir string
	// Env is their environment besides that of this process.
	Env  []string
	Plan Plan
	// Long has it run the plan's slow steps too.
	Long bool
	// Limit is for each command to end, or to be ready if it goes on; 0 is a minute.
	Limit time.Duration
	// Keys is the key file in Dir whose address stands where a page shortens one; empty is
	// site.dat.
	Keys string
	// Log is told what is done; nil for nobody.
	Log func(format string, args ...any)

	running []*process
	printed string // by the last command that ended
}

// Run takes all steps. What goes on runs until Close.
func (r *Runner) Run(ctx context.Context, steps []Step) error {
	notes, err := r.Plan.notes(steps)
	if err != nil {
		return err
	}
	if err := r.serveWeb(ctx); err != nil {
		return err
	}
	for _, command := range r.Plan.Given {
		if err := r.command(ctx, command, Note{}, nil); err != nil {
			return fmt.Errorf("what is given: %w", err)
		}
	}
	for i, step := range steps {
		if why := notes[i].left(r.Long); why != "" {
			r.log("line %d: left out: %s: %s", step.Line, step.Start(), why)
			continue
		}
		var shown []string // what it is to print
		if i+1 < len(steps) && notes[i+1].left(r.Long) == "" {
			shown = steps[i+1].Shown
		}
		if err := r.step(ctx, step, notes[i], shown); err != nil {
			return fmt.Errorf("line %d: %s: %w", step.Line, step.Start(), err)
		}
	}
	return r.settle(ctx)
}

// step takes one; shown is what the page shows after it.
func (r *Runner) step(ctx context.Context, step Step, note Note, shown []string) error {
	for _, command := range note.Stop {
		if err := errors.Join(r.settle(ctx), r.Stop(command)); err != nil {
			return err
		}
	}
	for _, command := range note.Before {
		if err := r.command(ctx, command, Note{}, nil); err != nil {
			return fmt.Errorf("before it: %s: %w", command, err)
		}
	}
	if step.Command == "" {
		return fits(step.Shown, r.printed)
	}
	return r.command(ctx, step.Command, note, shown)
}

// asks are commands that are asked again until they say what is shown, or no more than that
// all is well: what they ask about takes its time.
var asks = regexp.MustCompile(`^onelease (status|lookup|cluster (status|members)|backend status) `)

func (r *Runner) command(ctx context.Context, command string, note Note, shown []string) error {
	command, err := r.address(ctx, command)
	if err != nil {
		return err
	}
	if goesOn.MatchString(command) {
		return r.start(ctx, command, note)
	}
	if err := r.settle(ctx); err != nil {
		return err
	}
	if addr, is := strings.CutPrefix(command, "nc "); is {
		r.printed, err = talk(ctx, strings.Replace(addr, " ", ":", 1), shown)
		return err
	}
	began := time.Now()
	for {
		err = r.run(ctx, command, note)
		if err == nil && asks.MatchString(command) {
			err = fits(shown, r.printed)
		}
		if err == nil || !asks.MatchString(command) || time.Since(began) > r.limit() {
			r.log("%5.1f s  %s", time.Since(began).Seconds(), command)
			return err
		}
		time.Sleep(pollInterval) // of real processes
	}
}

// run runs a command to its end.
func (r *Runner) run(ctx context.Context, command string, note Note) error {
	ctx, cancel := context.WithTimeout(ctx, r.limit())
	defer cancel()
	cmd := r.shell(ctx, command)
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	terminal, err := typed(cmd, note.Typed)
	if err != nil {
		return err
	}
	err = cmd.Run()
	terminal.close()
	r.printed = out.String()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == note.Code && note.Code != 0 {
		err = nil
	} else if err == nil && note.Code != 0 {
		err = fmt.Errorf("exit code 0, want %d", note.Code)
	}
	if err == nil && !strings.Contains(out.String(), note.Prints) {
		err = fmt.Errorf("does not print %q", note.Prints)
	}
	if err != nil {
		return fmt.Errorf("%w: it printed %s%s", err, &out, &said)
	}
	return nil
}

// shell is a command that is killed with what it has started when ctx ends.
func (r *Runner) shell(ctx context.Context, command string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "bash", "-euc", command)
	cmd.Dir = r.Dir
	cmd.Env = append(os.Environ(), r.Env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 5 * time.Second
	return cmd
}

var shortened = regexp.MustCompile(`\b[a-z2-7]+\.\.\.[a-z2-7]*\.b32\.i2p\b`)

// address puts the Destination's address where the page has one that is shortened.
func (r *Runner) address(ctx context.Context, command string) (string, error) {
	if !shortened.MatchString(command) {
		return command, nil
	}
	keys := "site.dat"
	if r.Keys != "" {
		keys = r.Keys
	}
	out, err := r.shell(ctx, "onelease key show "+keys+" --json").Output()
	found := regexp.MustCompile(`[a-z2-7]{52}\.b32\.i2p`).Find(out)
	if err != nil || found == nil {
		return "", fmt.Errorf("its address: %v: %s", err, out)
	}
	return shortened.ReplaceAllString(command, string(found)), nil
}

// talk says every second of these lines, beginning with the first, and returns all that both
// have said.
func talk(ctx context.Context, addr string, lines []string) (said string, err error) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	answers := bufio.NewReader(conn)
	for i := 0; i < len(lines); i += 2 {
		fmt.Fprintln(conn, lines[i])
		answer, err := answers.ReadString('\n')
		if err != nil {
			return said, fmt.Errorf("no answer to %q: %w", lines[i], err)
		}
		said += lines[i] + "\n" + answer
	}
	return said, nil
}

// serveWeb is the reader's web server.
func (r *Runner) serveWeb(ctx context.Context) error {
	if r.Plan.Web == "" {
		return nil
	}
	ln, err := net.Listen("tcp", r.Plan.Web)
	if err != nil {
		return err
	}
	context.AfterFunc(ctx, func() { ln.Close() })
	server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(w, WebPage)
	})}
	go func() { _ = server.Serve(ln) }() // until ln is closed
	return nil
}

// WebPage is what the reader's web server serves.
const WebPage = "the reader's page"

func (r *Runner) limit() time.Duration {
	if r.Limit > 0 {
		return r.Limit
	}
	return defaultLimit
}

func (r *Runner) log(format string, args ...any) {
	if r.Log != nil {
		r.Log(format, args...)
	}
}
