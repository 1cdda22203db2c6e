package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/onelease/onelease/backend/plugin/catalog"
	"github.com/onelease/onelease/internal/daemon"
)

func pluginVerifyCommand() *cobra.Command {
	var (
		where  catalogFlag
		asJSON jsonFlag
	)
	cmd := &cobra.Command{
		Use:   "verify [NAME ...]",
		Short: "Check that plugins are what was registered, and could be started",
		Long: `Verify checks plugins, or all of the catalog: the program has the checksum that was
registered, its settings can be read, and nobody else may write to either. It runs
nothing.

Exit codes: 0 all are right; 1 at least one is not, or it failed; 2 wrong use.`,
		Example: `  onelease plugin verify
  onelease plugin verify site proxy --json`,
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := where.open(cmd)
			if err != nil {
				return err
			}
			names, err := namesOf(c, args)
			if err != nil {
				return err
			}
			verdicts, wrong := verify(c, names)
			if err := asJSON.show(cmd, verdicts); err != nil || len(wrong) == 0 {
				return err
			}
			return fmt.Errorf("%d of %d plugins cannot be started: %s", len(wrong), len(names), strings.Join(wrong, ", "))
		},
	}
	where.add(cmd)
	asJSON.add(cmd)
	return cmd
}

// namesOf are those given, or all.
func namesOf(c *catalog.Catalog, given []string) ([]string, error) {
	if len(given) > 0 {
		return given, nil
	}
	entries, err := c.List()
	var names []string
	for _, e := range entries {
		names = append(names, e.Name)
	}
	return names, err
}

// A verdict says whether a plugin could be started.
type verdict struct {
	Name  string `json:"name"`
	OK    bool   `json:"ok"`
	Error string `json:"error"` // what differs
}

type verdictsView []verdict

func verify(c *catalog.Catalog, names []string) (all verdictsView, wrong []string) {
	all = verdictsView{}
	for _, name := range names {
		v := verdict{Name: name, OK: true}
		if err := c.Verify(name); err != nil {
			v.OK, v.Error = false, err.Error()
			wrong = append(wrong, name)
		}
		all = append(all, v)
	}
	return all, wrong
}

func (v verdictsView) text(w io.Writer) {
	for _, p := range v {
		fmt.Fprintf(w, "%s: %s\n", p.Name, cmp.Or(p.Error, "as registered"))
	}
}

func pluginRemoveCommand() *cobra.Command {
	var where catalogFlag
	cmd := &cobra.Command{
		Use:   "remove NAME",
		Short: "Take a plugin out of the catalog",
		Long: `Remove takes a plugin out of the catalog and deletes its copy of the program. What runs goes
on, restarts included, and the copy is deleted when it has ended. The file with its
settings stays.`,
		Example: `  onelease plugin remove site`,
		Args:    oneArg("plugin's name"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := where.open(cmd)
			if err != nil {
				return err
			}
			if err := c.Remove(args[0]); err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "Removed plugin %s.\n", args[0])
			return err
		},
	}
	where.add(cmd)
	return cmd
}

func pluginReloadCommand() *cobra.Command {
	var (
		access controlFlags
		asJSON jsonFlag
	)
	cmd := &cobra.Command{
		Use:   "reload NAME --dir DIR",
		Short: "Have a running backend put the newest version in place, without a gap",
		Long: `Reload has the backend that runs with --dir start the plugin anew, as the catalog, its
program and its settings are now. The new process starts beside the old one. Once
it is ready it gets new streams, while the old one finishes what it has. If
it does not become ready, the old one goes on as if nothing had been, and you are told
why.

NAME is that of the service, as "onelease backend status" shows it. SIGHUP to the
backend does the same for all plugins that have changed, and tells the log.

Exit codes: 0 the new one took over; 1 it did not, or it failed; 2 wrong use.`,
		Example: `  onelease plugin add ./site-1.3 --name site && onelease plugin reload site --dir /var/lib/onelease/backend-1`,
		Args:    oneArg("service's name"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return access.ask(cmd, func(ctx context.Context, control string) error {
				status, err := daemon.Reload(ctx, control, args[0])
				if err != nil {
					return err
				}
				return asJSON.show(cmd, reloadedView(status))
			})
		},
	}
	access.add(cmd)
	asJSON.add(cmd)
	return cmd
}

// A reloadedView is a service whose new process is in place.
type reloadedView daemon.ServiceStatus

func (v reloadedView) text(w io.Writer) {
	if len(v.Instances) == 0 {
		fmt.Fprintf(w, "Reloaded %s.\n", v.Name)
		return
	}
	now := v.Instances[0]
	fmt.Fprintf(w, "Reloaded %s: version %s, process %d, has taken over.\n", v.Name, cmp.Or(now.Version, "unknown"), now.PID)
	for _, old := range v.Instances[1:] {
		fmt.Fprintf(w, "Process %d finishes %s and ends.\n", old.PID, counted(uint32(old.Traffic.StreamsOpen), "stream"))
	}
}

var (
	_ view = verdictsView{}
	_ view = reloadedView{}
)
