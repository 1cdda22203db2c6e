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

// Output runs a command that is not on the page, and returns what it prints.
func (r *Runner) Output(ctx context.Context, command string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, r.limit())
	defer cancel()
	if err := r.settle(ctx); err != nil {
		return nil, err
	}
	return r.shell(ctx, command).Output()
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
