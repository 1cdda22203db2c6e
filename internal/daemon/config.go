package daemon

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"strings"
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
// What the keys are for is in the tags, of which the reference is made: see strict.Key.
type Config struct {
	Dir       string   `toml:"dir" value:"directory" example:"/var/lib/onelease/backend-1" shown:"yes" comment:"the backend's directory, which onelease cluster join has made"`
	Balancers []string `toml:"balancers" flag:"balancer" value:"host:port" example:"10.0.0.1:7660,10.0.0.2:7660" comment:"host:port of a balancer, in place of those that dir names"`
	Keys      string   `toml:"keys" value:"file" example:"site.dat" comment:"the Destination's private key file, in place of dir, for a setup without a cluster"`
	Name      string   `toml:"name" example:"backend-1" comment:"the backend's name, if several have keys; with dir it is in the certificate"`
	Weight    int      `toml:"weight" default:"1" comment:"share of new visitors, in proportion to the other backends', 1 to 65535"`
	Standby   bool     `toml:"standby" default:"false" comment:"take new visitors only while no other backend does"`
	// Plugins is the directory of the catalog of plugins.
	Plugins string `toml:"plugins" value:"directory" example:"/var/lib/onelease/plugins" comment:"directory of registered plugins: that of onelease plugin by default"`
	// DrainLimit is how long streams may go on when it is told to end: 5 min.
	DrainLimit backend.Duration `toml:"drain-limit" value:"duration" default:"5m" comment:"how long streams may go on when it is told to end"`
	// Control is the path of the socket for operators: control.sock in Dir. Without
	// either there is none.
	Control string `toml:"control" value:"path" example:"/run/onelease/backend.sock" comment:"path of the socket for status and reloads: control.sock in dir by default"`
	// Address says where it can be watched, besides at Control.
	admin.Address
	Frontends []Frontend `toml:"frontend" shown:"yes" comment:"a frontend to attach to; there may be several of these tables"`
	// Services run side by side, and open ports of their own each.
	Services []Service `toml:"service" flag:"-" shown:"yes" comment:"a service to run, as --run, --plugin and --builtin have it: one of plugin, path and builtin is set; there may be several of these tables"`

	// Logger is slog.Default() if nil.
	Logger *slog.Logger `toml:"-"`
}

// A Frontend is one to attach to.
type Frontend struct {
	Name    string `toml:"name" example:"router-1" shown:"yes" comment:"its name"`
	Address string `toml:"address" value:"host:port" example:"127.0.0.1:7670" shown:"yes" comment:"host:port of its --sam"`
}

// A Service is one that runs. One of Plugin, Path and Builtin is set.
type Service struct {
	// Name is what the operator calls it: that of the plugin or program if it is empty.
	Name         string       `toml:"name" example:"web" comment:"what it is called: as the plugin or program by default"`
	Plugin       string       `toml:"plugin" example:"site" comment:"name of a plugin that onelease plugin add has registered"`
	Path         string       `toml:"path" value:"path" example:"/usr/lib/onelease/site" comment:"path of the program of a plugin"`
	Builtin      string       `toml:"builtin" example:"echo" shown:"yes" comment:"name of a service that is built in: echo, proxy or site"`
	SettingsFile string       `toml:"settings-file" value:"file" example:"site.toml" comment:"file with its settings, in place of those that the plugin was registered with" reload:"yes"`
	Settings     strict.Table `toml:"settings" example:"{ root = \"/srv/www\" }" comment:"single settings, merged over those; docs/services.md has the ready services', onelease plugin info a plugin's" reload:"yes"`
}

// defaultDrain is Config.DrainLimit's default.
const defaultDrain = backend.Duration(5 * time.Minute)

// maxFile bounds what is read of a file, in bytes.
const maxFile = 1 << 20

// Check returns an error of what can be told to be wrong without the network and without
// starting a plugin. It is ErrConfig.
func (c Config) Check() error {
	c, err := c.complete()
	if err == nil {
		err = CheckSettings(c.Services)
	}
	return err
}

// CheckSettings returns an error, which is ErrConfig, of the first service that is built in
// and has settings that it cannot use.
func CheckSettings(all []Service) error {
	for i, s := range all {
		if err := s.checkSettings(); err != nil {
			return settingsError(fmt.Errorf("%w: %w", ErrConfig, err), i, &s)
		}
	}
	return nil
}

// CompleteServices gives all their names, and returns an error of the first that is not one
// service, or called as another is; plugins says whether there is a catalog of plugins.
func CompleteServices(all []Service, plugins bool) error {
	if len(all) == 0 {
		return strict.At(errors.New("no service to run: give --run, --plugin or --builtin, or [[service]] in --config"), "service")
	}
	names := map[string]bool{}
	for i := range all {
		s := &all[i]
		if key, err := s.check(plugins); err != nil {
			return strict.At(fmt.Errorf("service %d: %w", i+1, err), "service", i, key)
		}
		if names[s.Name] {
			return strict.At(fmt.Errorf("two services are called %q: give one of them another name", s.Name), "service", i, "name")
		}
		names[s.Name] = true
	}
	return nil
}

// settingsError says of which key an error of a service's settings is: one of them, or the
// file that has them.
func settingsError(err error, i int, s *Service) error {
	if s.SettingsFile != "" && len(s.Settings) == 0 {
		return strict.At(fmt.Errorf("settings-file %s: %w", s.SettingsFile, err), "service", i, "settings-file")
	}
	return strict.Within(err, "service", i, "settings")
}

// checkSettings checks what a service that is built in would get.
func (s *Service) checkSettings() error {
	if s.Builtin == "" {
		return nil
	}
	settings, err := s.edit("")
	if err != nil {
		return err
	}
	_, err = newBuiltin(s.Builtin, settings)
	return err
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

// maxWeight is the largest that frontends take.
const maxWeight = 65535

var errName = errors.New("--weight and --standby are for one of several backends: give each its own --name")

func (c *Config) check() error {
	switch {
	case (c.Dir == "") == (c.Keys == ""):
		return strict.At(errors.New("give either --dir, which onelease cluster join has made, or --keys"), "dir")
	case c.Name != "" && c.Dir != "":
		return strict.At(errors.New("--name with --dir: the name is that of the certificate in --dir"), "name")
	case c.Name == "" && c.Dir == "" && c.Weight != 0:
		return strict.At(errName, "weight")
	case c.Name == "" && c.Dir == "" && c.Standby:
		return strict.At(errName, "standby")
	case c.Weight < 0 || c.Weight > maxWeight:
		return strict.At(fmt.Errorf("--weight %d: want 1 to %d; see --standby", c.Weight, maxWeight), "weight")
	case len(c.Frontends) == 0:
		return strict.At(errors.New("no frontend to attach to: give --frontend NAME=HOST:PORT, the --sam of one"), "frontend")
	}
	return cmp.Or(c.checkFrontends(), c.Address.Check(), CompleteServices(c.Services, c.Plugins != ""))
}

func (c *Config) checkFrontends() error {
	names := map[string]bool{}
	for i, f := range c.Frontends {
		host, _, err := net.SplitHostPort(f.Address)
		switch {
		case f.Name == "":
			return strict.At(fmt.Errorf("frontend %s has no name: give it one", f.Address), "frontend", i, "name")
		case err != nil || host == "":
			return strict.At(fmt.Errorf("frontend %s: address %q: want host:port of its --sam", f.Name, f.Address), "frontend", i, "address")
		case names[f.Name]:
			return strict.At(fmt.Errorf("two frontends are called %q: give one of them another name", f.Name), "frontend", i, "name")
		case c.Dir == "" && !way.Loopback(f.Address):
			err := fmt.Errorf("frontend %s is not on this machine, and would be reached in the clear: join a cluster and give --dir", f.Name)
			return strict.At(err, "frontend", i, "address")
		}
		names[f.Name] = true
	}
	return nil
}

// check also fills in the name, and says which key is wrong, "" if there is none that is.
func (s *Service) check(plugins bool) (key string, err error) {
	given := 0
	for _, what := range []string{s.Plugin, s.Path, s.Builtin} {
		if what != "" {
			given++
		}
	}
	switch {
	case given != 1:
		return "", errors.New("want one of plugin, path and builtin")
	case s.Plugin != "" && !plugins:
		return "plugin", fmt.Errorf("plugin %q is one of a catalog: give --plugins", s.Plugin)
	case s.Builtin != "" && builtins[s.Builtin] == nil:
		return "builtin", fmt.Errorf("no built-in service %q: there are %s", s.Builtin, strings.Join(Builtins(), ", "))
	}
	s.Name = s.Called()
	return "name", catalog.CheckName(s.Name)
}

// Called is the service's name, given or not.
func (s *Service) Called() string {
	return cmp.Or(s.Name, s.Plugin, s.Builtin, filepath.Base(s.Path))
}
