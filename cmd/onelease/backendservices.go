package main

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/onelease/onelease/backend/plugin/catalog"
	"github.com/onelease/onelease/internal/daemon"
	"github.com/onelease/onelease/internal/strict"
)

// addServices adds to cfg the frontends and services that flags name, and gives
// services their settings.
func (f *backendFlags) addServices(cfg *daemon.Config) error {
	for _, text := range f.frontends {
		name, addr, found := strings.Cut(text, "=")
		if !found || name == "" || addr == "" {
			return fmt.Errorf("--frontend %q: want NAME=HOST:PORT", text)
		}
		cfg.Frontends = append(cfg.Frontends, daemon.Frontend{Name: name, Address: addr})
	}
	for _, name := range f.run {
		cfg.Services = append(cfg.Services, daemon.Service{Plugin: name})
	}
	for _, text := range f.programs {
		cfg.Services = append(cfg.Services, programOf(text))
	}
	for _, name := range f.builtin {
		cfg.Services = append(cfg.Services, daemon.Service{Builtin: name})
	}
	for _, text := range f.settings {
		name, file, found := strings.Cut(text, "=")
		s := serviceOf(cfg, name)
		if !found || s == nil {
			return fmt.Errorf("--settings %q: want NAME=FILE, with the name of a service: %s", text, servicesOf(cfg))
		}
		s.SettingsFile = file
	}
	for _, text := range f.set {
		if err := set(cfg, text); err != nil {
			return err
		}
	}
	return nil
}

// programOf reads PATH or NAME=PATH. What is no name begins a path.
func programOf(text string) daemon.Service {
	if name, path, found := strings.Cut(text, "="); found && catalog.CheckName(name) == nil {
		return daemon.Service{Name: name, Path: path}
	}
	return daemon.Service{Name: filepath.Base(text), Path: text}
}

// set sets NAME.KEY=VALUE. A name may have dots, and so the longest that fits counts.
func set(cfg *daemon.Config, text string) error {
	var best *daemon.Service
	for i := range cfg.Services {
		s := &cfg.Services[i]
		if strings.HasPrefix(text, s.Called()+".") && (best == nil || len(best.Called()) < len(s.Called())) {
			best = s
		}
	}
	if best == nil {
		return fmt.Errorf("--set %q: want NAME.KEY=VALUE, with the name of a service: %s", text, servicesOf(cfg))
	}
	over, err := strict.ParseAssignment(strings.TrimPrefix(text, best.Called()+"."))
	if err != nil {
		return fmt.Errorf("--set of %s: %w", best.Called(), err)
	}
	best.Settings = strict.Merge(best.Settings, over)
	return nil
}

func serviceOf(cfg *daemon.Config, name string) *daemon.Service {
	for i := range cfg.Services {
		if cfg.Services[i].Called() == name {
			return &cfg.Services[i]
		}
	}
	return nil
}

func servicesOf(cfg *daemon.Config) string {
	var names []string
	for _, s := range cfg.Services {
		names = append(names, s.Called())
	}
	if len(names) == 0 {
		return "there is none, give --run, --plugin or --builtin"
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}
