package main

import (
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/onelease/onelease/backend/plugin"
	"github.com/onelease/onelease/backend/plugin/catalog"
	"github.com/onelease/onelease/internal/strict"
)

func pluginAddCommand() *cobra.Command {
	var (
		where  catalogFlag
		asJSON jsonFlag
		entry  catalog.Entry
	)
	cmd := &cobra.Command{
		Use:   "add PATH",
		Short: "Register a plugin, or a new version of one",
		Long: `Add starts the program at PATH and asks it what it is; then it puts a copy of it into the
catalog, with its checksum, and prints its settings. From then on backends run
it by its name, which is --name or what the plugin calls itself.

If there is a plugin of that name the new program and flags take its place. What runs goes
on with the old one until "onelease plugin reload", and so do its restarts.

--settings is a TOML file. It stays where it is, and is read at the plugin's start and at
each reload: only you or root may be able to write to it. --sha256 insists on a checksum
that you got from whoever made the plugin, before anything of it is run.

The limits are the kernel's (setrlimit), for each process; 0 is none, but for --streams.
--no-tls is for plugins that cannot speak TLS to their host; nobody else can reach them
either way.`,
		Example: `  onelease plugin add ./site --settings /etc/onelease/site.toml
  onelease plugin add ./proxy-1.3 --name proxy --sha256 "$(cut -d' ' -f1 proxy-1.3.sha256)"
  onelease plugin add ./site --memory-mib 256 --streams 1000 --json`,
		Args: oneArg("program"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := checkAdd(cmd, &entry); err != nil {
				return err
			}
			example, err := describe(cmd.Context(), &entry, args[0])
			if err != nil {
				return err
			}
			c, err := where.create(cmd)
			if err != nil {
				return err
			}
			added, err := addPlugin(c, entry, args[0])
			if err != nil {
				return err
			}
			added.Example = example
			return asJSON.show(cmd, added)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&entry.Name, "name", "", "what you call it; what it calls itself if not given")
	flags.StringVar(&entry.Settings, "settings", "", "TOML `file` with its settings")
	flags.StringVar(&entry.SHA256, "sha256", "", "the checksum that the program must have, in `hex`")
	flags.BoolVar(&entry.NoTLS, "no-tls", false, "leave mutual TLS out between it and its host")
	flags.IntVar(&entry.Limits.MemoryMiB, "memory-mib", 0, "memory that it may allocate, in MiB")
	flags.IntVar(&entry.Limits.OpenFiles, "open-files", 0, "files and connections that it may have open")
	flags.IntVar(&entry.Limits.Processes, "processes", 0, "processes and threads of its user")
	flags.IntVar(&entry.Limits.Streams, "streams", 0, "streams that it may have open at once; 0 is 4,096")
	where.add(cmd)
	asJSON.add(cmd)
	return cmd
}

// checkAdd checks what needs no look at the plugin, and completes the path of the settings.
func checkAdd(cmd *cobra.Command, e *catalog.Entry) error {
	if e.Name != "" {
		if err := catalog.CheckName(e.Name); err != nil {
			return wrongUse(cmd, err)
		}
	}
	if sum, err := hex.DecodeString(e.SHA256); err != nil || len(sum) != 32 && len(sum) != 0 {
		return wrongUse(cmd, fmt.Errorf("--sha256 %.80q: want 64 hexadecimal digits", e.SHA256))
	}
	if err := e.Limits.Check(); err != nil {
		return wrongUse(cmd, err)
	}
	if e.Settings == "" {
		return nil
	}
	text, err := os.ReadFile(e.Settings)
	if err == nil {
		_, err = strict.ParseTable(string(text))
	}
	if err != nil {
		return fmt.Errorf("settings %s: %w", e.Settings, err)
	}
	e.Settings, err = filepath.Abs(e.Settings)
	return err
}

// describe asks the program what it is, completes e, and returns the example of its
// settings. What is registered later is what was described, or nothing, also if somebody
// changes the file meanwhile.
func describe(ctx context.Context, e *catalog.Entry, path string) (example string, err error) {
	if e.SHA256 == "" {
		if e.SHA256, err = catalog.Sum(path); err != nil {
			return "", err
		}
	}
	d, err := plugin.Describe(ctx, plugin.Config{
		Name: cmp.Or(e.Name, "new"), Path: path, SHA256: e.SHA256, NoTLS: e.NoTLS, Limits: e.Limits,
	})
	if err != nil {
		return "", err
	}
	e.Name, e.Version = cmp.Or(e.Name, d.GetName()), d.GetVersion()
	if err := catalog.CheckName(e.Name); err != nil {
		return "", fmt.Errorf("the plugin calls itself %.80q: give another --name: %w", e.Name, err)
	}
	return d.GetSettings(), nil
}

func addPlugin(c *catalog.Catalog, e catalog.Entry, path string) (v addedView, err error) {
	_, err = c.Info(e.Name)
	v.Replaced = err == nil
	if err != nil && !errors.Is(err, catalog.ErrNotFound) {
		return v, err
	}
	e, err = c.Add(e, path)
	v.pluginView = viewOf(c, e)
	return v, err
}

// An addedView is a plugin that was registered.
type addedView struct {
	pluginView
	Replaced bool   `json:"replaced"`         // one of that name was there
	Example  string `json:"settings_example"` // TOML
}

func (v addedView) text(w io.Writer) {
	fmt.Fprintf(w, "%s plugin %s, version %s, SHA-256 %s.\n", either(v.Replaced, "Replaced", "Registered"), v.Name, cmp.Or(v.Version, "unknown"), v.SHA256)
	showExample(w, v.Example)
	if v.Replaced {
		fmt.Fprintf(w, "\nA backend that runs it goes on with the old one until:\n  onelease plugin reload %s --dir DIR\n", v.Name)
		return
	}
	fmt.Fprintf(w, "\nNext, run it:\n  onelease backend --dir DIR --frontend NAME=HOST:PORT --run %s\n", v.Name)
}

func showExample(w io.Writer, example string) {
	if example == "" {
		fmt.Fprintln(w, "It has no settings.")
		return
	}
	fmt.Fprintf(w, "Its settings, as they are without a --settings file:\n\n%s", indent(example))
}

var _ view = addedView{}
