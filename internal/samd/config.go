package samd

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"

	"github.com/onelease/onelease"
	"github.com/onelease/onelease/internal/admin"
	"github.com/onelease/onelease/internal/strict"
	"github.com/onelease/onelease/internal/way"
)

// ErrConfig says that a Config cannot work; the message names the key or flag.
var ErrConfig = errors.New("SAM bridge")

// Where SAM clients look for a bridge.
const (
	DefaultListen = "127.0.0.1:7656"
	DefaultUDP    = "127.0.0.1:7655"
	// NoUDP as Config.UDP opens no port for datagrams.
	NoUDP = "none"
)

// Config is what a bridge is made of, as its file has it.
type Config struct {
	// Routers are those that host the Destinations of sessions.
	Routers []Router `toml:"router"`
	// Frontends are those of a cluster that take guests, in place of Routers or with them.
	// Dir is the directory of a backend of it, for its certificate; Balancers are its
	// balancers if they are not those that Dir names.
	Frontends []Frontend `toml:"frontend"`
	Dir       string     `toml:"dir"`
	Balancers []string   `toml:"balancers"`
	// Listen are the addresses for SAM clients, host:port: DefaultListen.
	Listen []string `toml:"listen"`
	// UDP is the address for datagrams, on the loopback: DefaultUDP, or NoUDP.
	UDP string `toml:"udp"`
	// TLSCert and TLSKey are files of PEM; with them all of Listen speaks TLS only.
	TLSCert string `toml:"tls-cert"`
	TLSKey  string `toml:"tls-key"`
	// AllowPlain lets others than this machine connect without TLS.
	AllowPlain bool `toml:"allow-plain"`
	// Users is a file with those who may connect, which AUTH ADD and REMOVE change.
	Users string `toml:"users"`
	// Auth asks for a password on the loopback too.
	Auth bool `toml:"auth"`
	// ForwardAnywhere lets clients forward streams to any host, not only their own.
	ForwardAnywhere bool `toml:"forward-anywhere"`
	// Apart has sessions of this bridge reach each other through the network, as they
	// reach others, in place of within the process.
	Apart bool `toml:"apart"`
	// MaxSessions is how many Destinations there may be, 1000 if 0;
	// MaxSessionsPerUser how many of one user, as many if 0.
	MaxSessions        int `toml:"max-sessions"`
	MaxSessionsPerUser int `toml:"max-sessions-per-user"`
	// MaxConnections is how many connections of clients there may be, streams
	// among them, and MaxStreams how many streams of a session. 0 is
	// sambridge's default.
	MaxConnections int `toml:"max-connections"`
	MaxStreams     int `toml:"max-streams"`

	// Admin is where it can be watched.
	Admin admin.Config `toml:"-"`
	// Embedded are routers inside the program, in place of Routers.
	Embedded []onelease.Router `toml:"-"`
	// Logger is slog.Default() if nil.
	Logger *slog.Logger `toml:"-"`
}

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
	paths := []*string{&c.Dir, &c.TLSCert, &c.TLSKey, &c.Users}
	for i := range c.Routers {
		paths = append(paths, &c.Routers[i].PasswordFile)
	}
	for _, p := range paths {
		if *p != "" && !filepath.IsAbs(*p) {
			*p = filepath.Join(filepath.Dir(path), *p)
		}
	}
	return c, nil
}

// complete fills in what was left out, and checks what can be checked without a network.
func (c Config) complete() (Config, error) {
	c.Logger = cmp.Or(c.Logger, slog.Default())
	if len(c.Listen) == 0 {
		c.Listen = []string{DefaultListen}
	}
	c.UDP = cmp.Or(c.UDP, DefaultUDP)
	err := cmp.Or(c.checkRouters(), c.checkListen(), c.checkLimits())
	if err != nil {
		return c, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	return c, nil
}

func (c *Config) checkListen() error {
	for _, addr := range c.Listen {
		if _, _, err := net.SplitHostPort(addr); err != nil {
			return fmt.Errorf("listen %q: want host:port, as %s", addr, DefaultListen)
		}
		if c.TLSCert == "" && !c.AllowPlain && !way.Loopback(addr) {
			return fmt.Errorf("listen %s: others could connect, and passwords and keys would cross the network in the clear; give --tls-cert and --tls-key, or listen on 127.0.0.1", addr)
		}
		if !c.hasUsers() && !way.Loopback(addr) {
			return fmt.Errorf("listen %s: others must say a password, and there are no users: give --users", addr)
		}
	}
	switch {
	case (c.TLSCert == "") != (c.TLSKey == ""):
		return errors.New("--tls-cert and --tls-key: give both, or none")
	case c.Auth && !c.hasUsers():
		return errors.New("--auth without users: nobody could connect; give --users")
	case c.UDP != NoUDP && !way.Loopback(c.UDP):
		return fmt.Errorf("udp %s: SAM asks for no password there, so it must be on the loopback, as %s, or %q", c.UDP, DefaultUDP, NoUDP)
	}
	return nil
}

func (c *Config) hasUsers() bool { return c.Users != "" }

func (c *Config) checkLimits() error {
	for _, limit := range []struct {
		name  string
		value int
	}{
		{"max-sessions", c.MaxSessions}, {"max-sessions-per-user", c.MaxSessionsPerUser},
		{"max-connections", c.MaxConnections}, {"max-streams", c.MaxStreams},
	} {
		if limit.value < 0 {
			return fmt.Errorf("%s %d: want 1 or more, or 0 for the default", limit.name, limit.value)
		}
	}
	return nil
}
