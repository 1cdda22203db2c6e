package plugin

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"

	"github.com/onelease/onelease/backend/plugin/catalog"
)

// maxSettings bounds the settings, in bytes.
const maxSettings = 1 << 20

// A spec is what a Config said when it was looked at last: the program and how it is run.
// Restarts go by the same one, until a Reload.
type spec struct {
	path, sum, settings string
	noTLS               bool
	limits              Limits

	users atomic.Int32  // who may start it or runs it
	held  *catalog.Held // nil if it is not from a catalog
}

// resolve looks up what is to run now. The caller is a user of what it gets.
func (c Config) resolve() (*spec, error) {
	s, err := c.find()
	if err != nil {
		return nil, fmt.Errorf("plugin %s: %w", c.Name, err)
	}
	s.users.Store(1)
	if c.Edit == nil {
		return s, nil
	}
	if s.settings, err = c.Edit(s.settings); err != nil {
		s.release()
		return nil, fmt.Errorf("plugin %s: %w", c.Name, err)
	}
	return s, nil
}

func (c Config) find() (*spec, error) {
	if c.Catalog != nil {
		return c.fromCatalog()
	}
	path, err := filepath.Abs(c.Path)
	if err != nil {
		return nil, err
	}
	if err := catalog.CheckProgram(path); err != nil {
		return nil, err
	}
	sum, err := catalog.Sum(path)
	if err != nil {
		return nil, err
	}
	if c.SHA256 != "" && !strings.EqualFold(c.SHA256, sum) {
		return nil, fmt.Errorf("%s has SHA-256 %s, and %s is wanted: %w", path, sum, c.SHA256, ErrChecksum)
	}
	settings, err := c.settings()
	return &spec{path: path, sum: sum, settings: settings, noTLS: c.NoTLS, limits: c.Limits}, err
}

func (c Config) fromCatalog() (*spec, error) {
	held, err := c.Catalog.Acquire(cmp.Or(c.Entry, c.Name))
	if err != nil {
		return nil, err
	}
	settings, err := held.Settings()
	if err != nil {
		held.Release()
		return nil, err
	}
	return &spec{
		path: held.Path(), sum: strings.ToLower(held.SHA256), settings: settings,
		noTLS: held.NoTLS, limits: held.Limits, held: held,
	}, nil
}

func (c Config) settings() (string, error) {
	if c.SettingsFile == "" {
		return c.Settings, nil
	}
	f, err := os.Open(c.SettingsFile)
	if err != nil {
		return "", fmt.Errorf("settings: %w", err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxSettings+1))
	if err == nil && len(b) > maxSettings {
		err = fmt.Errorf("over %d bytes", maxSettings)
	}
	if err != nil {
		return "", fmt.Errorf("settings %s: %w", c.SettingsFile, err)
	}
	return string(b), nil
}

// use and release count who may need the program.
func (s *spec) use() *spec { s.users.Add(1); return s }

func (s *spec) release() {
	if s != nil && s.users.Add(-1) == 0 && s.held != nil {
		s.held.Release()
	}
}
