package main

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/onelease/onelease/backend/plugin/catalog"
	"github.com/onelease/onelease/internal/daemon"
	"github.com/onelease/onelease/internal/strict"
)

// A serviceFlags has the flags that name services, and give them settings.
type serviceFlags struct{ run, programs, builtin, settings, set []string }

func (f *serviceFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringSliceVar(&f.run, "run", nil, "`names` of registered plugins to run, with commas; repeatable")
	flags.StringArrayVar(&f.programs, "plugin", nil, "`path` of a plugin to run, or name=path; repeatable")
	flags.StringSliceVar(&f.builtin, "builtin", nil, "`names` of built-in services to run; repeatable")
	flags.StringArrayVar(&f.settings, "settings", nil, "`name=file`: a service's settings, in place of its own; repeatable")
	flags.StringArrayVar(&f.set, "set", nil, "`name.key=value`: one setting of a service, a value as in TOML; repeatable")
}

// any reports whether a flag says something of services.
func (f *serviceFlags) any() bool {
	return len(f.run)+len(f.programs)+len(f.builtin)+len(f.settings)+len(f.set) > 0
}

// onto adds the services that flags name, and gives all their settings.
func (f *serviceFlags) onto(services *[]daemon.Service) error {
	for _, name := range f.run {
		*services = append(*services, daemon.Service{Plugin: name})
	}
	for _, text := range f.programs {
		*services = append(*services, programOf(text))
	}
	for _, name := range f.builtin {
		*services = append(*services, daemon.Service{Builtin: name})
	}
	for _, text := range f.settings {
		name, file, found := strings.Cut(text, "=")
		s := serviceOf(*services, name)
		if !found || s == nil {
			return fmt.Errorf("--settings %q: want NAME=FILE, with the name of a service: %s", text, servicesOf(*services))
		}
		s.SettingsFile = file
	}
	for _, text := range f.set {
		if err := set(*services, text); err != nil {
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
func set(services []daemon.Service, text string) error {
	var best *daemon.Service
	for i := range services {
		s := &services[i]
		if strings.HasPrefix(text, s.Called()+".") && (best == nil || len(best.Called()) < len(s.Called())) {
			best = s
		}
	}
	if best == nil {
		return fmt.Errorf("--set %q: want NAME.KEY=VALUE, with the name of a service: %s", text, servicesOf(services))
	}
	over, err := strict.ParseAssignment(strings.TrimPrefix(text, best.Called()+"."))
	if err != nil {
		return fmt.Errorf("--set of %s: %w", best.Called(), err)
	}
	best.Settings = strict.Merge(best.Settings, over)
	return nil
}

func serviceOf(services []daemon.Service, name string) *daemon.Service {
	for i := range services {
		if services[i].Called() == name {
			return &services[i]
		}
	}
	return nil
}

func servicesOf(services []daemon.Service) string {
	var names []string
	for _, s := range services {
		names = append(names, s.Called())
	}
	if len(names) == 0 {
		return "there is none, give --run, --plugin or --builtin"
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}
