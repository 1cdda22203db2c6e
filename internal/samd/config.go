package samd

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"net"

	"github.com/onelease/onelease"
	"github.com/onelease/onelease/internal/admin"
	"github.com/onelease/onelease/internal/routers"
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

// The limits of a Config that does not say them.
const (
	defaultSessions    = 1000
	defaultConnections = 16384
	defaultStreams     = 4096
)

// Config is what a bridge is made of, as its file has it. What the keys are for is in the
// tags, of which the reference is made: see strict.Key.
type Config struct {
	Listen  []string `toml:"listen" value:"host:port" default:"127.0.0.1:7656" comment:"host:port for SAM clients; all but the loopback needs TLS and users"`
	UDP     string   `toml:"udp" value:"host:port" default:"127.0.0.1:7655" comment:"host:port for datagrams, on the loopback, or none"`
	TLSCert string   `toml:"tls-cert" value:"file" example:"/etc/onelease/sam.pem" comment:"PEM file with the certificate; all of listen then speaks TLS only" reload:"yes"`
	TLSKey  string   `toml:"tls-key" value:"file" example:"/etc/onelease/sam.key" comment:"PEM file with its key, which only its owner may read" reload:"yes"`
	// AllowPlain lets others than this machine connect without TLS.
	AllowPlain bool `toml:"allow-plain" default:"false" comment:"let other machines connect without TLS: only where something else encrypts"`
	// Users is a file with those who may connect, which AUTH ADD and REMOVE change.
	Users string `toml:"users" value:"file" example:"/var/lib/onelease/sam.users" comment:"file with the users, which onelease sam user and SAM's AUTH change, and only its owner may read" reload:"yes"`
	Auth  bool   `toml:"auth" default:"false" comment:"ask for a password on the loopback too"`
	// ForwardAnywhere lets clients forward streams to any host, not only their own.
	ForwardAnywhere bool `toml:"forward-anywhere" default:"false" comment:"let clients forward streams to any host, not only their own"`
	// Apart has sessions of this bridge reach each other through the network, as they
	// reach others, in place of within the process.
	Apart bool `toml:"apart" default:"false" comment:"sessions of this bridge reach each other through the network, not within the process"`
	// MaxSessions is how many Destinations there may be; MaxSessionsPerUser how many of one
	// user, as many if 0. MaxConnections is how many connections of clients there may be,
	// streams among them, and MaxStreams how many streams of a session. 0 is the default.
	MaxSessions        int `toml:"max-sessions" default:"1000" comment:"sessions that there may be"`
	MaxSessionsPerUser int `toml:"max-sessions-per-user" example:"10" comment:"sessions that one user may have: as many as there may be by default"`
	MaxConnections     int `toml:"max-connections" default:"16384" comment:"connections of clients, streams among them"`
	MaxStreams         int `toml:"max-streams" default:"4096" comment:"streams of one session"`
	// Dir is the directory of a guest of the Frontends' cluster, for its certificate;
	// Balancers are its balancers if they are not those that Dir names.
	Dir       string   `toml:"dir" value:"directory" example:"/var/lib/onelease/sam-1" comment:"the directory of a guest of the frontends' cluster, which onelease cluster join has made"`
	Balancers []string `toml:"balancers" flag:"balancer" value:"host:port" example:"10.0.0.1:7660,10.0.0.2:7660" comment:"host:port of a balancer, in place of those that dir names"`
	// Address says where it can be watched.
	admin.Address
	// Routers are those that host the Destinations of sessions.
	Routers []routers.Router `toml:"router" shown:"yes" comment:"a router that hosts sessions, on this machine; there may be several of these tables"`
	// Frontends are those of a cluster that take guests, in place of Routers or with them.
	Frontends []Frontend `toml:"frontend" comment:"a frontend of a cluster that takes guests; there may be several of these tables, with dir"`

	// Embedded are routers inside the program, in place of Routers.
	Embedded []onelease.Router `toml:"-"`
	// Logger is slog.Default() if nil.
	Logger *slog.Logger `toml:"-"`
}

// Check returns an error of what can be told to be wrong without the network and the
// files that the Config names. It is ErrConfig.
func (c Config) Check() error {
	_, err := c.complete()
	return err
}

// complete fills in what was left out, and checks what can be checked without a network.
func (c Config) complete() (Config, error) {
	c.Logger = cmp.Or(c.Logger, slog.Default())
	if len(c.Listen) == 0 {
		c.Listen = []string{DefaultListen}
	}
	c.UDP = cmp.Or(c.UDP, DefaultUDP)
	c.MaxSessions = cmp.Or(c.MaxSessions, defaultSessions)
	c.MaxConnections, c.MaxStreams = cmp.Or(c.MaxConnections, defaultConnections), cmp.Or(c.MaxStreams, defaultStreams)
	err := cmp.Or(c.checkRouters(), c.checkListen(), c.checkLimits(), c.Address.Check())
	if err != nil {
		return c, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	return c, nil
}

func (c *Config) checkListen() error {
	for _, addr := range c.Listen {
		if _, _, err := net.SplitHostPort(addr); err != nil {
			return strict.At(fmt.Errorf("listen %q: want host:port, as %s", addr, DefaultListen), "listen")
		}
		if c.TLSCert == "" && !c.AllowPlain && !way.Loopback(addr) {
			return strict.At(fmt.Errorf("listen %s: others could connect, and passwords and keys would cross the network in the clear; give --tls-cert and --tls-key, or listen on 127.0.0.1", addr), "listen")
		}
		if !c.hasUsers() && !way.Loopback(addr) {
			return strict.At(fmt.Errorf("listen %s: others must say a password, and there are no users: give --users", addr), "listen")
		}
	}
	switch {
	case (c.TLSCert == "") != (c.TLSKey == ""):
		return strict.At(errors.New("--tls-cert and --tls-key: give both, or none"), givenOf(c.TLSCert, "tls-cert", "tls-key"))
	case c.Auth && !c.hasUsers():
		return strict.At(errors.New("--auth without users: nobody could connect; give --users"), "auth")
	case c.UDP != NoUDP && !way.Loopback(c.UDP):
		return strict.At(fmt.Errorf("udp %s: SAM asks for no password there, so it must be on the loopback, as %s, or %q", c.UDP, DefaultUDP, NoUDP), "udp")
	}
	return nil
}

// givenOf is the key of two that is there: that of value, or the other.
func givenOf(value, key, other string) string {
	if value == "" {
		return other
	}
	return key
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
			return strict.At(fmt.Errorf("%s %d: want 1 or more, or 0 for the default", limit.name, limit.value), limit.name)
		}
	}
	return nil
}
