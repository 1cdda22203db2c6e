package daemon

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/onelease/onelease/backend"
	"github.com/onelease/onelease/backend/plugin/catalog"
	"github.com/onelease/onelease/internal/admin"
	"github.com/onelease/onelease/internal/strict"
	"github.com/onelease/onelease/internal/way"
)

// ErrConfig says that a Config cannot work; the message names the key or flag.
var ErrConfig = errors.New("backend")

// Config is what a backend is made of, as its file has it. Either Dir or Keys is set.
type Config struct {
	// Dir was made by "onelease cluster join" for a backend.
	Dir string `toml:"dir"`
	// Balancers are asked in place of those that Dir names.
	Balancers []string `toml:"balancers"`
	// Keys is the Destination's key file, for a setup without a cluster.
	Keys string `toml:"keys"`
	// Name tells several backends with Keys apart. With Dir it is that of the certificate.
	Name string `toml:"name"`
	// Weight is the share of new visitors, in proportion to other backends'; 1 if it is 0.
	Weight int `toml:"weight"`
	// Standby takes new visitors only while no other backend does.
	Standby bool `toml:"standby"`
	// Frontends are those to attach to.
	Frontends []Frontend `toml:"frontend"`
	// Plugins is the directory of the catalog of plugins.
	Plugins string `toml:"plugins"`
	// DrainLimit is how long streams may go on when it is told to end: 5 min.
	DrainLimit backend.Duration `toml:"drain-limit"`
	// Control is the path of the socket for operators: control.sock in Dir. Without
	// either there is none.
	Control string `toml:"control"`
	// Services run side by side, and open ports of their own each.
	Services []Service `toml:"service"`

	// Admin is where it can be watched, besides at Control.
	Admin admin.Config `toml:"-"`
	// Logger is slog.Default() if nil.
	Logger *slog.Logger `toml:"-"`
}

// A Frontend is one to attach to.
type Frontend struct {
	Name    string `toml:"name"`
	Address string `toml:"address"` // host:port of its --sam
}

// A Service is one that runs. One of Plugin, Path and Builtin is set.
type Service struct {
	// Name is what the operator calls it: that of the plugin or program if it is empty.
	Name string `toml:"name"`
	// Plugin is the name of one in the catalog.
	Plugin string `toml:"plugin"`
	// Path is the program of a plugin.
	Path string `toml:"path"`
	// Builtin is the name of a service that runs in this process.
	Builtin string `toml:"builtin"`
	// SettingsFile has the settings, in place of the catalog's.
	SettingsFile string `toml:"settings-file"`
	// Settings are merged over those.
	Settings strict.Table `toml:"settings"`
}

// defaultDrain is Config.DrainLimit's default.
const defaultDrain = backend.Duration(5 * time.Minute)

// maxFile bounds what is read of a file, in bytes.
const maxFile = 1 << 20

// ReadConfig reads a file. Paths in it are relative to where it is.
func ReadConfig(path string) (Config, error) {
	var c Config
	text, err := os.ReadFile(path)
	if err != nil {
		return c, fmt.Errorf("%w: configuration: %w", ErrConfig, err)
	}
	if err := strict.Decode(text, &c); err != nil {
		return c, fmt.Errorf("%w: %s: %w", ErrConfig, path, err)
	}
	paths := []*string{&c.Dir, &c.Keys, &c.Plugins, &c.Control}
	for i := range c.Services {
		paths = append(paths, &c.Services[i].Path, &c.Services[i].SettingsFile)
	}
	for _, p := range paths {
		if *p != "" && !filepath.IsAbs(*p) {
			*p = filepath.Join(filepath.Dir(path), *p)
		}
	}
	return c, nil
}

// complete checks c and fills in what follows from the rest.
func (c Config) complete() (Config, error) {
	c.Logger = cmp.Or(c.Logger, slog.Default())
	c.DrainLimit = cmp.Or(c.DrainLimit, defaultDrain)
	if c.Control == "" && c.Dir != "" {
		c.Control = ControlPath(c.Dir)
	}
	if err := c.check(); err != nil {
		return c, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	return c, nil
}

func (c *Config) check() error {
	switch {
	case (c.Dir == "") == (c.Keys == ""):
		return errors.New("give either --dir, which onelease cluster join has made, or --keys")
	case c.Name != "" && c.Dir != "":
		return errors.New("--name with --dir: the name is that of the certificate in --dir")
	case c.Name == "" && c.Dir == "" && (c.Weight != 0 || c.Standby):
		return errors.New("--weight and --standby are for one of several backends: give each its own --name")
	case len(c.Frontends) == 0:
		return errors.New("no frontend to attach to: give --frontend NAME=HOST:PORT, the --sam of one")
	case len(c.Services) == 0:
		return errors.New("no service to run: give --run, --plugin or --builtin, or [[service]] in --config")
	}
	if err := c.checkFrontends(); err != nil {
		return err
	}
	names := map[string]bool{}
	for i := range c.Services {
		s := &c.Services[i]
		if err := s.check(c.Plugins != ""); err != nil {
			return fmt.Errorf("service %d: %w", i+1, err)
		}
		if names[s.Name] {
			return fmt.Errorf("two services are called %q: give one of them another name", s.Name)
		}
		names[s.Name] = true
	}
	return nil
}

func (c *Config) checkFrontends() error {
	names := map[string]bool{}
	for _, f := range c.Frontends {
		host, _, err := net.SplitHostPort(f.Address)
		switch {
		case f.Name == "":
			return fmt.Errorf("frontend %s has no name", f.Address)
		case err != nil || host == "":
			return fmt.Errorf("frontend %s: address %q: want host:port of its --sam", f.Name, f.Address)
		case names[f.Name]:
			return fmt.Errorf("two frontends are called %q", f.Name)
		case c.Dir == "" && !way.Loopback(f.Address):
			return fmt.Errorf("frontend %s is not on this machine, and would be reached in the clear: join a cluster and give --dir", f.Name)
		}
		names[f.Name] = true
	}
	return nil
}

// check also fills in the name.
func (s *Service) check(plugins bool) error {
	given := 0
	for _, what := range []string{s.Plugin, s.Path, s.Builtin} {
		if what != "" {
			given++
		}
	}
	if given != 1 {
		return errors.New("want one of plugin, path and builtin")
	}
	if s.Plugin != "" && !plugins {
		return fmt.Errorf("plugin %q is one of a catalog: give --plugins", s.Plugin)
	}
	s.Name = s.Called()
	return catalog.CheckName(s.Name)
}

// Called is the service's name, given or not.
func (s *Service) Called() string {
	return cmp.Or(s.Name, s.Plugin, s.Builtin, filepath.Base(s.Path))
}
