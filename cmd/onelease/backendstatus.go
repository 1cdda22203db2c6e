package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/onelease/onelease/internal/daemon"
)

// A controlFlags says which running backend is asked.
type controlFlags struct {
	dir, control string
	timeout      time.Duration
}

func (c *controlFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&c.dir, "dir", "", "the running backend's `directory`")
	flags.StringVar(&c.control, "control", "", "`path` of its control socket, if that is not in --dir")
	flags.DurationVar(&c.timeout, "timeout", time.Minute, "how long to wait for the answer")
}

// ask asks it.
func (c *controlFlags) ask(cmd *cobra.Command, question func(ctx context.Context, control string) error) error {
	switch {
	case (c.dir == "") == (c.control == ""):
		return wrongUse(cmd, fmt.Errorf("which backend? give its --dir, or --control if it was started with that"))
	case c.timeout <= 0:
		return wrongUse(cmd, fmt.Errorf("--timeout %v: want more than 0s", c.timeout))
	}
	ctx, cancel := context.WithTimeout(cmd.Context(), c.timeout)
	defer cancel()
	return question(ctx, cmp.Or(c.control, daemon.ControlPath(c.dir)))
}

func backendStatusCommand() *cobra.Command {
	var (
		access controlFlags
		watch  watchFlags
		asJSON jsonFlag
	)
	cmd := &cobra.Command{
		Use:   "status --dir DIR",
		Short: "Show how a running backend is: its frontends and its services",
		Long: `Status asks the backend that runs with --dir on this machine, by a socket that only its
user may connect to: which frontends it is attached to, and for each service which
processes run, how often one was started again and why, and what went through. Of the
remotes it says how many each frontend has, how many came over from another, and how
long their streams stood still when a frontend was lost.

"onelease status --dir DIR" has what is wrong with it besides, and fails then.`,
		Example: `  onelease backend status --dir /var/lib/onelease/backend-1
  onelease backend status --dir backend-1 --watch
  onelease backend status --dir backend-1 --json`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return watch.run(cmd, asJSON, func() error {
				return access.ask(cmd, func(ctx context.Context, control string) error {
					status, err := daemon.Ask(ctx, control)
					if err != nil {
						return err
					}
					return asJSON.show(cmd, backendView(status))
				})
			})
		},
	}
	access.add(cmd)
	watch.add(cmd)
	asJSON.add(cmd)
	return cmd
}

// A backendView is a backend's status.
type backendView daemon.Status

func (v backendView) text(w io.Writer) {
	fmt.Fprintf(w, "%s, process %d for %s, %s\n", v.Destination, v.PID, span(time.Since(v.Since)), either(v.Draining, "DRAINS", "runs"))
	if v.Name != "" {
		fmt.Fprintf(w, "backend %s, weight %d%s\n", v.Name, v.Weight, either(v.Standby, ", on standby", ""))
	}
	fmt.Fprintf(w, "%d streams open, %d remotes known, %d moved to another frontend so far\n", v.Streams, v.Remotes, v.Moved)
	v.lossText(w)
	fmt.Fprintln(w)
	rows := [][]string{{"FRONTEND", "STATE", "FOR", "REMOTES", "STRANDED", "IN", "OUT", "DROPPED", ""}}
	for _, f := range v.Frontends {
		note := f.Error
		if f.State == "up" {
			note = either(f.Draining, "drains", "")
		}
		rows = append(rows, []string{
			f.Name, f.State, span(time.Since(f.Since)), strconv.Itoa(f.Remotes), strconv.Itoa(f.Stranded),
			strconv.FormatUint(f.PacketsIn, 10), strconv.FormatUint(f.PacketsOut, 10), strconv.FormatUint(f.Dropped, 10), note,
		})
	}
	table(w, rows)
	fmt.Fprintln(w)
	rows = [][]string{{"SERVICE", "KIND", "STATE", "VERSION", "PID", "FOR", "STREAMS", "RESTARTS", "RELOADS"}}
	for _, s := range v.Services {
		rows = append(rows, serviceRows(s)...)
	}
	table(w, rows)
	for _, s := range v.Services {
		if last := s.LastExit; last != nil && s.Restarts > 0 {
			fmt.Fprintf(w, "\n%s ended last %s ago: %s\n", s.Name, span(time.Since(last.At)), last.Reason)
		}
	}
}

// lossText is what lost frontends have done to remotes, if one ever was lost that had some.
func (v backendView) lossText(w io.Writer) {
	if v.Lost == 0 {
		return
	}
	fmt.Fprintf(w, "%d lost their frontend so far, %d of them still wait to be heard by another\n", v.Lost, v.Stranded)
	s := v.Stalls
	fmt.Fprintf(w, "remotes with streams: %d went on, %d were not heard again, %d lost a stream", s.Resumed, s.Unreachable, s.Broken)
	if s.Resumed > 0 {
		fmt.Fprintf(w, "; they stood still for %.1f s (median), %.1f s at most", float64(s.MedianMS)/1000, float64(s.MaxMS)/1000)
	}
	fmt.Fprintln(w)
}

// serviceRows has a row for each process, or one that says that there is none.
func serviceRows(s daemon.ServiceStatus) (rows [][]string) {
	if s.Kind == "builtin" {
		return [][]string{{s.Name, s.Kind, "runs", "-", "-", "-", "-", "-", "-"}}
	}
	counts := []string{strconv.FormatUint(s.Restarts, 10), strconv.FormatUint(s.Reloads, 10)}
	for _, i := range s.Instances {
		state := i.State + either(i.Unhealthy > 0, ", does not answer", "")
		row := []string{s.Name, s.Kind, state, cmp.Or(i.Version, "-"), strconv.Itoa(i.PID), span(time.Since(i.Since)), strconv.Itoa(i.Traffic.StreamsOpen)}
		rows = append(rows, append(row, counts...))
	}
	if len(rows) > 0 {
		return rows
	}
	state := "not started"
	if s.NextStart != nil {
		state = "starts again in " + span(max(0, time.Until(*s.NextStart)))
	}
	return [][]string{append([]string{s.Name, s.Kind, state, "-", "-", "-", "-"}, counts...)}
}

var _ view = backendView{}
