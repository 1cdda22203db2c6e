package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/onelease/onelease/backend/plugin"
	"github.com/onelease/onelease/backend/plugin/catalog"
)

func pluginListCommand() *cobra.Command {
	var (
		where  catalogFlag
		asJSON jsonFlag
	)
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the plugins of the catalog",
		Long: `List shows the plugins of the catalog. What of them runs, and in which version, says
"onelease backend status": a plugin that was replaced runs in its old version
until it is reloaded.`,
		Example: `  onelease plugin list
  onelease plugin list --plugins ./plugins --json`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := where.open(cmd)
			if errors.Is(err, fs.ErrNotExist) && where.dir == "" {
				return asJSON.show(cmd, pluginsView{}) // nothing was registered so far
			}
			if err != nil {
				return err
			}
			entries, err := c.List()
			if err != nil {
				return err
			}
			views := pluginsView{}
			for _, e := range entries {
				views = append(views, viewOf(c, e))
			}
			return asJSON.show(cmd, views)
		},
	}
	where.add(cmd)
	asJSON.add(cmd)
	return cmd
}

// A pluginView is a plugin of the catalog.
type pluginView struct {
	Name     string     `json:"name"`
	Version  string     `json:"version"`
	SHA256   string     `json:"sha256"`
	Path     string     `json:"path"`
	Added    time.Time  `json:"added"`
	Settings string     `json:"settings"` // path; empty: none
	NoTLS    bool       `json:"no_tls"`
	Limits   limitsView `json:"limits"`
}

// A limitsView is what a plugin may take up; 0: no limit of ours.
type limitsView struct {
	MemoryMiB int `json:"memory_mib"`
	OpenFiles int `json:"open_files"`
	Processes int `json:"processes"`
	Streams   int `json:"streams"`
}

func viewOf(c *catalog.Catalog, e catalog.Entry) pluginView {
	return pluginView{
		Name: e.Name, Version: e.Version, SHA256: e.SHA256, Path: c.Path(e), Added: e.Added,
		Settings: e.Settings, NoTLS: e.NoTLS, Limits: limitsView(e.Limits),
	}
}

type pluginsView []pluginView

func (v pluginsView) text(w io.Writer) {
	if len(v) == 0 {
		fmt.Fprintln(w, "No plugin is registered: see onelease plugin add --help.")
		return
	}
	rows := [][]string{{"NAME", "VERSION", "SHA-256", "ADDED", "SETTINGS"}}
	for _, p := range v {
		rows = append(rows, []string{
			p.Name, cmp.Or(p.Version, "-"), p.SHA256[:16], p.Added.Format("2006-01-02 15:04"), cmp.Or(p.Settings, "-"),
		})
	}
	table(w, rows)
}

func pluginInfoCommand() *cobra.Command {
	var (
		where  catalogFlag
		asJSON jsonFlag
	)
	cmd := &cobra.Command{
		Use:   "info NAME",
		Short: "Show a plugin, and all its settings with their defaults",
		Long: `Info shows what the catalog has of a plugin. It also starts the plugin's program to ask for
its settings: a commented TOML document, with which to begin a --settings file.`,
		Example: `  onelease plugin info site
  onelease plugin info site --json | jq -r .settings_example > /etc/onelease/site.toml`,
		Args: oneArg("plugin's name"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := where.open(cmd)
			if err != nil {
				return err
			}
			entry, err := c.Info(args[0])
			if err != nil {
				return err
			}
			d, err := plugin.Describe(cmd.Context(), plugin.Config{Name: entry.Name, Catalog: c})
			if err != nil {
				return err
			}
			return asJSON.show(cmd, infoView{viewOf(c, entry), d.GetSettings()})
		},
	}
	where.add(cmd)
	asJSON.add(cmd)
	return cmd
}

// An infoView is a plugin with what it says of itself.
type infoView struct {
	pluginView
	Example string `json:"settings_example"` // TOML
}

func (v infoView) text(w io.Writer) {
	number := func(n int, none string) string { return either(n == 0, none, fmt.Sprint(n)) }
	table(w, [][]string{
		{"name", v.Name},
		{"version", cmp.Or(v.Version, "-")},
		{"sha-256", v.SHA256},
		{"program", v.Path},
		{"added", v.Added.Format("2006-01-02 15:04:05 MST")},
		{"settings", cmp.Or(v.Settings, "none: all are as below")},
		{"TLS", either(v.NoTLS, "no", "yes")},
		{"memory", number(v.Limits.MemoryMiB, "no limit") + either(v.Limits.MemoryMiB == 0, "", " MiB")},
		{"open files", number(v.Limits.OpenFiles, "no limit")},
		{"processes", number(v.Limits.Processes, "no limit")},
		{"streams", number(v.Limits.Streams, "4096")},
	})
	fmt.Fprintln(w)
	showExample(w, v.Example)
}

// indent sets a text off from what is around it.
func indent(text string) string {
	var b strings.Builder
	for line := range strings.Lines(strings.TrimRight(text, "\n")) {
		b.WriteString(either(line == "\n", "", "  ") + line)
	}
	return b.String() + "\n"
}

var (
	_ view = pluginsView{}
	_ view = infoView{}
)
