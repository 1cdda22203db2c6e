package servicetest

import (
	"context"
	"errors"
	"syscall"
	"testing"
	"time"

	"github.com/pelletier/go-toml/v2"

	"github.com/onelease/onelease/backend"
	"github.com/onelease/onelease/backend/plugin"
)

// patience is how long a plugin may take for what takes it moments.
const patience = 30 * time.Second

// Conform runs a plugin's program through what Onelease asks of it, in subtests: that
// it says what it is, refuses settings that it does not know, opens its ports, is
// there again after it was killed, hands over to a new process, and ends when it is
// told to. The Config is as for plugin.New; its settings must be such that it runs.
// What the service does is for tests with Start, whose service may be
// plugin.New's. It works outside of testing/synctest only, since a process has
// a clock of its own.
func Conform(t *testing.T, cfg plugin.Config) {
	cfg.MustStart = true
	t.Run("says what it is", func(t *testing.T) { describes(t, cfg) })
	t.Run("refuses settings that it does not know", func(t *testing.T) { refuses(t, cfg) })
	t.Run("lives", func(t *testing.T) { lives(t, cfg) })
}

func describes(t *testing.T, cfg plugin.Config) {
	d, err := plugin.Describe(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	if d.Name == "" {
		t.Error("it has no name")
	}
	var settings map[string]any
	if err := toml.Unmarshal([]byte(d.Settings), &settings); err != nil {
		t.Errorf("the example of its settings is no TOML: %v\n%s", err, d.Settings)
	}
}

func refuses(t *testing.T, cfg plugin.Config) {
	cfg.Settings, cfg.SettingsFile = "no-plugin-has-this-setting = 1", ""
	s := supervise(t, cfg)
	var ended error
	w := Start(t, backend.ServiceFunc(func(ctx context.Context, node backend.Node) error {
		ended = s.Serve(ctx, node)
		return nil
	}), Options{})
	select {
	case <-w.Done():
	case <-time.After(patience):
		t.Fatal("it runs all the same")
	}
	if !errors.Is(ended, plugin.ErrSettings) {
		t.Errorf("it ended with %v, want an error of its settings", ended)
	}
}

// lives goes through the life of a plugin's processes.
func lives(t *testing.T, cfg plugin.Config) {
	s := supervise(t, cfg)
	w := Start(t, s, Options{})
	until(t, s, "opens a port", func(st plugin.Stats) bool { return running(st, 0) && st.Ports > 0 })
	ports, first := s.Stats().Ports, s.Stats().Instances[0].PID
	if err := syscall.Kill(first, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	until(t, s, "is there again after it was killed", func(st plugin.Stats) bool { return running(st, first) && st.Restarts > 0 })
	second := s.Stats().Instances[0].PID
	if err := s.Reload(t.Context()); err != nil {
		t.Errorf("it does not hand over to a new process: %v", err)
	}
	until(t, s, "has handed over", func(st plugin.Stats) bool { return running(st, second) && len(st.Instances) == 1 })
	until(t, s, "has its ports again", func(st plugin.Stats) bool { return st.Ports >= ports })
	began := time.Now()
	if err := w.Stop(); err != nil {
		t.Errorf("told to end: %v", err)
	}
	if took := time.Since(began); took > patience {
		t.Errorf("it took %v to end, with nothing open", took)
	}
}

func supervise(t *testing.T, cfg plugin.Config) *plugin.Supervisor {
	t.Helper()
	s, err := plugin.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// running reports whether a process serves that is not the one of before.
func running(st plugin.Stats, before int) bool {
	return len(st.Instances) > 0 && st.Instances[0].State == plugin.Running && st.Instances[0].PID != before
}

func until(t *testing.T, s *plugin.Supervisor, what string, ok func(plugin.Stats) bool) {
	t.Helper()
	for end := time.Now().Add(patience); !ok(s.Stats()); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("it was waited for that it %s: %+v", what, s.Stats())
		}
	}
}
