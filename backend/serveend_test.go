package backend

import (
	"bufio"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/onelease/onelease/i2p/streaming"
	"github.com/onelease/onelease/internal/pluginwire"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

func TestPluginDrains(t *testing.T) {
	t.Parallel()
	h, port := probing(t, "")
	c := h.stream(port)
	io.WriteString(c, "echo\nhello")
	c.SetReadDeadline(time.Now().Add(patience))
	buffer := make([]byte, 5)
	if _, err := io.ReadFull(c, buffer); err != nil {
		t.Fatal(err)
	}
	h.drain(patience)
	if id := within(t, "the port is closed", h.closed); id != port.Id {
		t.Errorf("port %d was closed", id)
	}
	io.WriteString(c, "again")
	if _, err := io.ReadFull(c, buffer); err != nil || string(buffer) != "again" {
		t.Errorf("%q, %v: a stream must go on until Drain's limit", buffer, err)
	}
	c.CloseWrite()
	if rest, err := io.ReadAll(c); len(rest) > 0 || err != nil {
		t.Errorf("%q, %v", rest, err)
	}
	if err := within(t, "Run ends", h.runErr); err != nil {
		t.Error(err)
	}
	if code := h.exit(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

func TestPluginIsCutOffAtDrainsLimit(t *testing.T) {
	t.Parallel()
	for settings, code := range map[string]codes.Code{"": codes.OK, "greeting = 'stubborn'": codes.DeadlineExceeded} {
		h, port := probing(t, settings)
		c := h.stream(port)
		io.WriteString(c, "echo\n")
		h.drain(50 * time.Millisecond)
		if _, err := io.Copy(io.Discard, c); !errors.Is(err, streaming.ErrReset) {
			t.Errorf("%q: what was open is %v", settings, err)
		}
		if err := within(t, "Run ends", h.runErr); status.Code(err) != code {
			t.Errorf("%q: %v", settings, err)
		}
		h.exit()
	}
}

func TestPluginEnds(t *testing.T) {
	t.Parallel()
	for command, want := range map[string]struct {
		code int
		err  string
	}{"end": {0, ""}, "end no disk": {1, "service: no disk"}} {
		h, port := probing(t, "")
		c := h.stream(port)
		io.WriteString(c, command+"\n")
		err := within(t, "Run ends", h.runErr)
		if status.Convert(err).Message() != want.err {
			t.Errorf("%s: %v", command, err)
		}
		if code := h.exit(); code != want.code {
			t.Errorf("%s: exit code %d", command, code)
		}
	}
}

func TestPluginPanics(t *testing.T) {
	t.Parallel()
	h, port := probing(t, "")
	c := h.stream(port)
	io.WriteString(c, "panic\n")
	_, err := io.Copy(io.Discard, c)
	if !errors.Is(err, pluginwire.ErrBroken) {
		t.Errorf("its stream: %v", err)
	}
	if code := h.exit(); code != 2 {
		t.Errorf("exit code %d", code)
	}
	wantAll(t, h.log.String(), "panic: a bug", "serveprobe_test.go")
	if err := within(t, "Run ends", h.runErr); status.Code(err) != codes.Unavailable {
		t.Error(err)
	}
}

func TestWhatAPluginPrintsIsLogged(t *testing.T) {
	t.Parallel()
	h, port := probing(t, "")
	h.ask(port, "print 1")
	for _, text := range []string{"on stdout 1", "on stderr 1", "by slog"} {
		h.awaitLog(text)
	}
	if strings.Contains(h.log.String(), "not to be seen") {
		t.Error("debug was not asked for")
	}
}

func TestPluginEndsWithItsHost(t *testing.T) {
	t.Parallel()
	h, port := probing(t, "")
	h.stream(port)
	h.cancel()
	h.exit()
	if err := within(t, "Run ends", h.runErr); status.Code(err) != codes.Canceled {
		t.Error(err)
	}
}

// A plugin that was started and never called does not outlive who started it.
func TestPluginEndsWithItsParent(t *testing.T) {
	t.Parallel()
	cmd := exec.Command("/bin/sh", "-c", `"$0" & read line`, os.Args[0])
	cmd.Env = append(os.Environ(), testService+"=probe", pluginwire.CookieKey+"="+pluginwire.Cookie, "TMPDIR="+t.TempDir())
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(out)
	if line, err := lines.ReadString('\n'); err != nil || !strings.HasPrefix(line, "1|1|unix|") {
		t.Errorf("%q, %v", line, err)
	}
	in.Close() // the shell ends
	done := make(chan error)
	go func() { _, err := io.ReadAll(lines); done <- err }()
	if err := within(t, "the plugin ends", done); err != nil {
		t.Error(err)
	}
	cmd.Wait()
}
