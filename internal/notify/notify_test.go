package notify

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// A manager is what a process tells.
type manager struct {
	t    *testing.T
	conn *net.UnixConn
}

// listen has the environment name a manager, with that watchdog.
func listen(t *testing.T, usec string) manager {
	t.Helper()
	path := filepath.Join(t.TempDir(), "notify")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	t.Setenv("NOTIFY_SOCKET", path)
	t.Setenv("WATCHDOG_USEC", usec)
	return manager{t, conn}
}

// next is the next datagram, of one assignment or several.
func (m manager) next() []string {
	m.t.Helper()
	buf := make([]byte, 8<<10)
	_ = m.conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	n, err := m.conn.Read(buf)
	if err != nil {
		m.t.Fatal(err)
	}
	return strings.Split(string(buf[:n]), "\n")
}

func (m manager) wants(all ...string) {
	m.t.Helper()
	if got := m.next(); !slices.Equal(got, all) {
		m.t.Fatalf("told %q, want %q", got, all)
	}
}

// open is FromEnv that must find one, and a log.
func open(t *testing.T) (*Manager, *strings.Builder) {
	t.Helper()
	var log strings.Builder
	m, err := FromEnv(slog.New(slog.NewTextHandler(&log, nil)))
	if m == nil || err != nil {
		t.Fatalf("FromEnv: %v, %v", m, err)
	}
	return m, &log
}

func TestManager(t *testing.T) {
	told := listen(t, "60000")
	m, log := open(t)
	for _, name := range []string{"NOTIFY_SOCKET", "WATCHDOG_USEC"} {
		if _, left := os.LookupEnv(name); left {
			t.Errorf("children would get %s", name)
		}
	}
	answers := make(chan error)
	stop := m.Watch(func(ctx context.Context) (string, error) {
		select {
		case err := <-answers:
			return "2 of 3\nrouters", err
		case <-ctx.Done():
			return "", ctx.Err()
		}
	})
	told.wants("READY=1", "STATUS=started")
	answers <- nil
	told.wants("STATUS=2 of 3 routers", "WATCHDOG=1")
	answers <- errors.New("stuck")
	told.wants("STATUS=stuck")
	answers <- errors.New("stuck")
	told.wants("STATUS=stuck")
	answers <- nil
	told.wants("STATUS=2 of 3 routers", "WATCHDOG=1")
	stop()
	m.Ending(0)
	told.wants("STOPPING=1")
	m.Ending(2 * time.Second)
	told.wants("STOPPING=1", "EXTEND_TIMEOUT_USEC=2000000")
	if text := log.String(); strings.Count(text, "its service manager will end it") != 1 || !strings.Contains(text, "notify.TestManager") {
		t.Errorf("the log does not say once where it is stuck: %s", text)
	}
}

func TestReload(t *testing.T) {
	told := listen(t, "")
	m, _ := open(t)
	refused := errors.New("sam.toml:3: no key \"junk\"")
	m.report("all well", nil)
	told.wants("STATUS=all well")
	for _, c := range []struct {
		err    error
		status string
	}{
		{refused, "STATUS=all well; what is in use is what was before the last reload, which failed: " + refused.Error()},
		{nil, "STATUS=all well"},
	} {
		if err := m.Reload(func() error { return c.err }); !errors.Is(err, c.err) {
			t.Errorf("Reload: %v, want %v", err, c.err)
		}
		if got := told.next(); len(got) != 2 || got[0] != "RELOADING=1" || !strings.HasPrefix(got[1], "MONOTONIC_USEC=") {
			t.Errorf("at a reload it told %q", got)
		}
		told.wants("READY=1", c.status)
	}
}

func TestLongStatus(t *testing.T) {
	line := statusLine(strings.Repeat("ü", maxStatus))
	if len(line) > len("STATUS=")+maxStatus || !strings.HasSuffix(line, "ü") {
		t.Errorf("a status of %d bytes ends in %q", len(line), line[len(line)-4:])
	}
	if line := statusLine("x" + strings.Repeat("ü", maxStatus)); !strings.HasSuffix(line, "ü") {
		t.Errorf("a letter is cut: %q", line[len(line)-4:])
	}
}

func TestNobody(t *testing.T) {
	t.Setenv("NOTIFY_SOCKET", "")
	m, err := FromEnv(slog.Default())
	if m != nil || err != nil {
		t.Fatalf("FromEnv: %v, %v", m, err)
	}
	m.Watch(nil)()
	m.Ending(0)
	called := false
	if err := m.Reload(func() error { called = true; return nil }); err != nil || !called {
		t.Errorf("Reload: %v, called: %v", err, called)
	}
}

func TestEnvironment(t *testing.T) {
	for name, c := range map[string]struct{ socket, usec, pid, want string }{
		"relative":       {"notify", "", "", "NOTIFY_SOCKET"},
		"no number":      {"/run/x", "soon", "", "WATCHDOG_USEC"},
		"negative":       {"/run/x", "-1", "", "WATCHDOG_USEC"},
		"too long":       {"/run/x", "9223372036854775807", "", "WATCHDOG_USEC"},
		"of another one": {"@x", "5", "1", ""},
		"abstract":       {"@x", "5", "", ""},
	} {
		t.Setenv("NOTIFY_SOCKET", c.socket)
		t.Setenv("WATCHDOG_USEC", c.usec)
		t.Setenv("WATCHDOG_PID", c.pid)
		m, err := FromEnv(slog.Default())
		if c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) || c.want == "" && err != nil {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
		if name == "of another one" && m.watchdog != 0 {
			t.Errorf("a watchdog of another process: %v", m.watchdog)
		}
	}
}

// A manager that has gone is no reason to fail.
func TestManagerGone(t *testing.T) {
	told := listen(t, "")
	m, log := open(t)
	told.conn.Close()
	m.report("all well", nil)
	if !strings.Contains(log.String(), "the service manager does not listen") {
		t.Errorf("nothing in the log: %q", log)
	}
}
