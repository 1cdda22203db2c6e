package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/onelease/onelease/backend/plugin/catalog"
)

func pluginCommand() *cobra.Command {
	return group(&cobra.Command{
		Use:   "plugin",
		Short: "Register the plugins that backends run, and replace them while they run",
		Long: `A plugin is a program with a service in it: backend.Serve of Go, or anything that
speaks docs/plugin-protocol.md. The catalog is a directory with copies of the plugins
that you have registered, the checksum of each, and how it is to be run.
"onelease backend --run NAME" runs them, and refuses one that was changed since.

The catalog is --plugins: if that is not given, ` + systemPlugins + ` for root,
and onelease/plugins in $XDG_DATA_HOME, or ~/.local/share, for others. Only you or root may
be able to write to it.

Exit codes: 0 done; 1 failed; 2 wrong use.`,
		Example: `  onelease plugin add ./site --settings /etc/onelease/site.toml
  onelease plugin list
  onelease plugin verify
  onelease plugin reload site --dir /var/lib/onelease/backend-1`,
	},
		pluginAddCommand(), pluginListCommand(), pluginInfoCommand(), pluginVerifyCommand(),
		pluginRemoveCommand(), pluginReloadCommand(),
	)
}

// systemPlugins is root's catalog.
const systemPlugins = "/var/lib/onelease/plugins"

const pluginsUsage = "`directory` of the catalog of plugins: for root " + systemPlugins + ", else onelease/plugins in $XDG_DATA_HOME"

// defaultPlugins is the catalog of whoever runs this, "" if they have no home.
func defaultPlugins() string {
	if os.Geteuid() == 0 {
		return systemPlugins
	}
	data := os.Getenv("XDG_DATA_HOME")
	if home, err := os.UserHomeDir(); !filepath.IsAbs(data) && err == nil {
		data = filepath.Join(home, ".local", "share")
	}
	if !filepath.IsAbs(data) {
		return ""
	}
	return filepath.Join(data, "onelease", "plugins")
}

// A catalogFlag says which catalog.
type catalogFlag struct{ dir string }

func (c *catalogFlag) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&c.dir, "plugins", "", pluginsUsage)
}

// path is that of the catalog, and whether it was not given.
func (c *catalogFlag) path(cmd *cobra.Command) (dir string, byDefault bool, err error) {
	if c.dir != "" {
		return c.dir, false, nil
	}
	if dir = defaultPlugins(); dir == "" {
		return "", true, wrongUse(cmd, fmt.Errorf("--plugins is not set, and there is no home directory for a default"))
	}
	return dir, true, nil
}

// open opens the catalog, which must be there.
func (c *catalogFlag) open(cmd *cobra.Command) (*catalog.Catalog, error) {
	dir, _, err := c.path(cmd)
	if err != nil {
		return nil, err
	}
	return catalog.Open(dir)
}

// create opens the catalog, or makes it; the default one with what is above it.
func (c *catalogFlag) create(cmd *cobra.Command) (*catalog.Catalog, error) {
	dir, byDefault, err := c.path(cmd)
	if err != nil {
		return nil, err
	}
	if byDefault {
		if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
			return nil, fmt.Errorf("make the catalog of plugins: %w", err)
		}
	}
	return catalog.Create(dir)
}
