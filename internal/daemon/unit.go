package daemon

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/onelease/onelease/backend"
	"github.com/onelease/onelease/backend/plugin"
	"github.com/onelease/onelease/backend/plugin/catalog"
	"github.com/onelease/onelease/internal/strict"
)

// errBuiltin says why a service cannot be reloaded.
var errBuiltin = errors.New("it is built in: start the process anew to change it")

// A unit is one service of the daemon.
type unit struct {
	Service                  // mu guards its Settings and SettingsFile
	catalog *catalog.Catalog // nil if it is not from one
	serve   backend.Service
	plugin  *plugin.Supervisor // nil if it is built in

	mu sync.Mutex
	// ran is the print of what runs.
	ran string
}

// newUnit makes a service ready to run. temp is a directory for sockets.
func newUnit(c Config, s Service, temp string) (*unit, error) {
	u := &unit{Service: s}
	if s.Builtin != "" {
		return u, u.buildIn()
	}
	cfg := plugin.Config{
		Name: s.Name, Path: s.Path, Edit: func(text string) (string, error) { s := u.now(); return s.edit(text) }, MustStart: true,
		DrainLimit: time.Duration(c.DrainLimit), TempDir: temp,
	}
	if s.Plugin != "" {
		var err error
		if u.catalog, err = catalog.Open(c.Plugins); err != nil {
			return nil, err
		}
		cfg.Catalog, cfg.Entry = u.catalog, s.Plugin
	}
	var err error
	if u.plugin, err = plugin.New(cfg); err != nil {
		return nil, err
	}
	u.serve = u.plugin
	u.ran, err = u.print(&s)
	return u, err
}

// now is the service as it is to run.
func (u *unit) now() Service {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.Service
}

func (u *unit) buildIn() error {
	settings, err := u.Service.edit("")
	if err != nil {
		return err
	}
	if u.serve, err = newBuiltin(u.Builtin, settings); err != nil {
		return fmt.Errorf("service %s: %w", u.Name, err)
	}
	return nil
}

// edit makes the settings that the service gets of those that it has by itself.
func (s *Service) edit(settings string) (string, error) {
	if s.SettingsFile != "" {
		text, err := os.ReadFile(s.SettingsFile)
		if err != nil {
			return "", fmt.Errorf("settings of service %s: %w", s.Name, err)
		}
		if len(text) > maxFile {
			return "", fmt.Errorf("settings of service %s: %s: over %d bytes", s.Name, s.SettingsFile, maxFile)
		}
		settings = string(text)
	}
	merged, err := strict.MergeText(settings, s.Settings)
	if err != nil {
		return "", fmt.Errorf("settings of service %s: %w", s.Name, err)
	}
	return merged, nil
}

// print differs if what a reload with the settings of s would start is another than what
// was started.
func (u *unit) print(s *Service) (string, error) {
	if u.catalog == nil {
		sum, err := catalog.Sum(u.Path)
		if err != nil {
			return "", err
		}
		settings, err := s.edit("")
		return sum + settings, err
	}
	entry, err := u.catalog.Info(u.Plugin)
	if err != nil {
		return "", err
	}
	settings, err := u.catalog.Settings(entry)
	if err != nil {
		return "", err
	}
	settings, err = s.edit(settings)
	return fmt.Sprint(entry.SHA256, entry.NoTLS, entry.Limits, settings), err
}

// reload puts what there is now in the place of what runs.
func (u *unit) reload(ctx context.Context) error {
	if u.plugin == nil {
		return fmt.Errorf("service %s: %w", u.Name, errBuiltin)
	}
	s := u.now()
	next, err := u.print(&s)
	if err != nil {
		return err
	}
	if err := u.plugin.Reload(ctx); err != nil {
		return err
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.ran = next
	return nil
}

// changed reports whether there is something new to run, with the settings of s.
func (u *unit) changed(s *Service) (bool, error) {
	if u.plugin == nil {
		was := u.now()
		before, _ := was.edit("")
		after, err := s.edit("")
		return before != after, err
	}
	now, err := u.print(s)
	u.mu.Lock()
	defer u.mu.Unlock()
	return now != u.ran, err
}

// set gives it the settings of s, which a reload takes.
func (u *unit) set(s *Service) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.Settings, u.SettingsFile = s.Settings, s.SettingsFile
}
