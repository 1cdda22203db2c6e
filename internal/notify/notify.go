// Package notify tells a service manager, systemd, how the process is, by the datagrams of
// sd_notify(3): that it runs, reads its settings again or ends, a line of status, and for
// the manager's watchdog that it is not stuck. Who started it by hand is told nothing.
//
//	manager, err := notify.FromEnv(log)
//	defer manager.Watch(look)()
package notify

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"
)

// A Manager is whom to tell. A nil one is nobody.
type Manager struct {
	path     string
	watchdog time.Duration // 0: it has none
	log      *slog.Logger

	mu sync.Mutex
	// status was told last; trouble is what a reload failed with, and stays behind it.
	status, trouble string
}

// FromEnv is the manager that the environment names, nil if there is none. It takes the
// names out of the environment, so that no child tells in our place.
func FromEnv(log *slog.Logger) (*Manager, error) {
	path, usec, pid := take("NOTIFY_SOCKET"), take("WATCHDOG_USEC"), take("WATCHDOG_PID")
	if path == "" {
		return nil, nil
	}
	if !filepath.IsAbs(path) && path[0] != '@' {
		return nil, fmt.Errorf("NOTIFY_SOCKET %q: want a path, or a name after @", path)
	}
	m := &Manager{path: path, log: log}
	if usec == "" || pid != "" && pid != strconv.Itoa(os.Getpid()) {
		return m, nil
	}
	n, err := strconv.ParseInt(usec, 10, 64)
	if err != nil || n <= 0 || n > int64(maxWatchdog/time.Microsecond) {
		return nil, fmt.Errorf("WATCHDOG_USEC %q: want microseconds, up to %v", usec, maxWatchdog)
	}
	m.watchdog = time.Duration(n) * time.Microsecond
	return m, nil
}

// maxWatchdog bounds what the environment may say.
const maxWatchdog = 365 * 24 * time.Hour

func take(name string) string {
	value := os.Getenv(name)
	os.Unsetenv(name)
	return value
}

// sendTime is for a datagram: a manager that does not read them is no reason to wait.
const sendTime = time.Second

// tell sends assignments, a datagram for all. Each is by a socket of its own, since the
// manager's may have been made anew.
func (m *Manager) tell(assignments ...string) error {
	conn, err := net.DialTimeout("unixgram", m.path, sendTime)
	if err != nil {
		return fmt.Errorf("tell the service manager: %w", err)
	}
	defer conn.Close()
	if err = conn.SetWriteDeadline(time.Now().Add(sendTime)); err == nil {
		_, err = conn.Write([]byte(strings.Join(assignments, "\n")))
	}
	if err != nil {
		return fmt.Errorf("tell the service manager: %w", err)
	}
	return nil
}

// say is tell for what is no reason to fail.
func (m *Manager) say(assignments ...string) {
	if err := m.tell(assignments...); err != nil {
		m.log.Warn("the service manager does not listen", "error", err)
	}
}

// Reload does reload, and says that it is under way; what it failed with stays in the
// status until one succeeds.
func (m *Manager) Reload(reload func() error) error {
	if m == nil {
		return reload()
	}
	m.say("RELOADING=1", "MONOTONIC_USEC="+strconv.FormatInt(monotonic().Microseconds(), 10))
	err := reload()
	m.mu.Lock()
	m.trouble = ""
	if err != nil {
		m.trouble = "; what is in use is what was before the last reload, which failed: " + err.Error()
	}
	line := statusLine(m.status, m.trouble)
	m.mu.Unlock()
	m.say("READY=1", line)
	return err
}

// Ending says that the process ends, and that it may take that long, 0 if it is what the
// manager knows.
func (m *Manager) Ending(last time.Duration) {
	if m == nil {
		return
	}
	assignments := []string{"STOPPING=1"}
	if last > 0 {
		assignments = append(assignments, "EXTEND_TIMEOUT_USEC="+strconv.FormatInt(last.Microseconds(), 10))
	}
	m.say(assignments...)
}

// maxStatus is how much of a status is told, in bytes: systemd takes datagrams of 4 KiB.
const maxStatus = 1 << 10

// statusLine is the assignment: one line of UTF-8.
func statusLine(parts ...string) string {
	line := strings.Join(strings.Fields(strings.Join(parts, "")), " ")
	return "STATUS=" + strings.ToValidUTF8(line[:min(len(line), maxStatus)], "")
}

var errStopped = errors.New("no longer watched")
