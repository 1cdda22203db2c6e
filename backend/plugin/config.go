package plugin

import (
	"cmp"
	"encoding/hex"
	"fmt"
	"log/slog"
	"time"

	"github.com/onelease/onelease/backend/plugin/catalog"
)

// Limits are what one process of a plugin may take up.
type Limits = catalog.Limits

// A Config says what runs. Either Path or Catalog is set.
type Config struct {
	// Name is what the operator calls the service, in the log, to the plugin, and
	// in the Catalog: up to 64 of a-z, 0-9, dot, dash and underscore.
	Name string

	// Catalog has the plugin under Entry, which is Name if it is empty, with its checksum,
	// settings and limits.
	Catalog *catalog.Catalog
	Entry   string

	// Path is the program, which only we or root may be able to write to.
	Path string
	// SHA256 is what it must hash to, in hexadecimal. If it is empty, what the program
	// hashes to when it is first started or at a Reload is logged, and restarts
	// insist on that.
	SHA256 string
	// Settings is the text of the plugin's settings, a TOML document.
	Settings string
	// SettingsFile is read in place of Settings, at the first start and at each
	// Reload.
	SettingsFile string
	// Edit, if set, gets the settings of the Catalog, the file or this Config each time that
	// they are looked at, and returns those that the plugin is given.
	Edit func(settings string) (string, error)
	// NoTLS leaves mutual TLS out of the control connection, for a plugin
	// in a language where that is hard. Its socket is in a directory that
	// nobody else may enter either way.
	NoTLS bool
	// Limits are set before the service runs.
	Limits Limits

	// StartLimit is how long a plugin may take from its start until it is
	// ready: 10 s.
	StartLimit time.Duration
	// DrainLimit is how long one that is to end may take to finish its streams: 30 s.
	DrainLimit time.Duration
	// MustStart has Serve fail if the plugin cannot be started the first time. Else
	// that is logged and tried again, as it is later.
	MustStart bool
	// TempDir is where the sockets' directory is made: os.TempDir, or /tmp
	// if that is too long a path for a socket.
	TempDir string
	// Logger gets the plugin's log and the supervisor's: the Node's if it is nil.
	Logger *slog.Logger
}

const (
	defaultStartLimit = 10 * time.Second
	defaultDrainLimit = 30 * time.Second
	defaultStreams    = 4096
)

// check says what is wrong with c, naming the field.
func (c Config) check() error {
	if err := catalog.CheckName(c.Name); err != nil {
		return fmt.Errorf("%w: Name: %w", ErrConfig, err)
	}
	switch {
	case (c.Path == "") == (c.Catalog == nil):
		return fmt.Errorf("%w: plugin %s: set either Path or Catalog", ErrConfig, c.Name)
	case c.Catalog != nil && (c.SHA256 != "" || c.Settings != "" || c.SettingsFile != "" || c.NoTLS || c.Limits != Limits{}):
		return fmt.Errorf("%w: plugin %s: SHA256, Settings, NoTLS and Limits are the Catalog's to say", ErrConfig, c.Name)
	case c.Settings != "" && c.SettingsFile != "":
		return fmt.Errorf("%w: plugin %s: set either Settings or SettingsFile", ErrConfig, c.Name)
	case c.StartLimit < 0 || c.DrainLimit < 0:
		return fmt.Errorf("%w: plugin %s: StartLimit and DrainLimit must not be negative", ErrConfig, c.Name)
	}
	if sum, err := hex.DecodeString(c.SHA256); err != nil || len(sum) != 32 && len(sum) != 0 {
		return fmt.Errorf("%w: plugin %s: SHA256 %.80q, want 64 hexadecimal digits", ErrConfig, c.Name, c.SHA256)
	}
	if err := c.Limits.Check(); err != nil {
		return fmt.Errorf("%w: plugin %s: %w", ErrConfig, c.Name, err)
	}
	return nil
}

func (c *Config) setDefaults() {
	c.StartLimit = cmp.Or(c.StartLimit, defaultStartLimit)
	c.DrainLimit = cmp.Or(c.DrainLimit, defaultDrainLimit)
}

// logger is Logger, or that of the node, with the service's name.
func (c *Config) logger(node *slog.Logger) *slog.Logger {
	return cmp.Or(c.Logger, node).With("service", c.Name)
}
