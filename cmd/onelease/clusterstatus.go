package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/onelease/onelease/balancer/cluster"
	"github.com/onelease/onelease/balancer/controlpb"
)

const clusterStatusLong = `Status shows what the leader knows: who leads; the merged LeaseSet, the one that is in
the netDB; when it was published last and whose routers were given it; whether the netDB
has it, as frontends look it up once a minute; each frontend, whether it is attached and
its router up, how many tunnels it has and how many are listed; and the tunnels with
the first letters of their gateways. SEQ is that of the last LeaseSet that the frontend's
router was given, OWN the age of its own LeaseSet, CLOCK how far its clock is ahead of
the leader's.

What is wrong comes last, in lines that begin with "[!]". --check has the command fail
then, for scripts.

Exit codes: 0 the leader has answered; 1 none could be asked, or with --check something
is wrong; 2 wrong use.`

// errDegraded has the command fail after it has shown what is wrong.
var errDegraded = errors.New("something is wrong")

// clusterStatusExample is the example of its help.
const clusterStatusExample = `  onelease cluster status --dir b1
  onelease cluster status --dir b1 --watch
  onelease cluster status --dir b1 --check >/dev/null || echo "something is wrong"
  onelease cluster status --dir b1 --json`

// A clusterStatus asks the leader.
type clusterStatus struct {
	access accessFlags
	watch  watchFlags
	json   jsonFlag
	check  bool
}

func statusCommand() *cobra.Command {
	var f clusterStatus
	cmd := &cobra.Command{
		Use:     "status --dir DIR",
		Short:   "Show the frontends and the LeaseSet, as the leader knows them",
		Long:    clusterStatusLong,
		Example: clusterStatusExample,
		Args:    noArgs,
		RunE:    f.run,
	}
	f.access.add(cmd)
	f.watch.add(cmd)
	cmd.Flags().BoolVar(&f.check, "check", false, "fail if something is wrong")
	f.json.add(cmd)
	return cmd
}

func (f *clusterStatus) run(cmd *cobra.Command, _ []string) error {
	if f.check && f.watch.on {
		return wrongUse(cmd, errors.New("--check is for one look: give it without --watch"))
	}
	if _, err := f.access.client(cmd); err != nil {
		return err // which will not mend by itself
	}
	return f.watch.run(cmd, f.json, func() error {
		status, err := f.ask(cmd)
		if err == nil {
			err = f.json.show(cmd, status)
		}
		if err == nil && f.check && !status.well() {
			err = errDegraded
		}
		return err
	})
}

func (f *clusterStatus) ask(cmd *cobra.Command) (status statusView, err error) {
	err = f.access.look(cmd, func(ctx context.Context, leader *cluster.Conn) error {
		reply, err := leader.Control.GetStatus(ctx, &controlpb.StatusRequest{})
		status = statusOf(reply, time.Now())
		return err
	})
	return status, err
}

// well reports whether all checks are passed.
func (v statusView) well() bool {
	for _, c := range v.Checks {
		if !c.OK {
			return false
		}
	}
	return true
}

func (v statusView) text(w io.Writer) {
	v.known(w)
	v.wrong(w)
}

// known is all but what is wrong.
func (v statusView) known(w io.Writer) {
	fmt.Fprintf(w, "Destination  %s\n", v.Destination)
	if v.LeaderAddress != "" { // else it is the process itself
		fmt.Fprintf(w, "Leader       %s %s\n", v.Leader, v.LeaderAddress)
	}
	fmt.Fprintf(w, "LeaseSet     %s\n", v.LeaseSet.describe())
	fmt.Fprintf(w, "Term         %d, key epoch %d, published %d times by this leader\n", v.Term, v.Epoch, v.Publishes)
	for _, c := range v.Checks {
		switch {
		case c.Name == "publication" && c.OK:
			fmt.Fprintf(w, "Published    %s\n", c.Text)
		case c.Name == "netdb" && c.OK:
			fmt.Fprintf(w, "netDB        %s\n", c.Text)
		}
	}
	fmt.Fprintln(w)
	if len(v.Frontends) == 0 {
		fmt.Fprintln(w, "No frontends yet: invite one with onelease cluster invite --role frontend --name NAME")
		return
	}
	v.tables(w)
	for _, f := range v.Frontends {
		if f.Error != "" {
			fmt.Fprintf(w, "\n%s: %s\n", f.Name, f.Error)
		}
	}
}

// tables are those of the frontends and of their tunnels.
func (v statusView) tables(w io.Writer) {
	rows := [][]string{{"FRONTEND", "ROLES", "STATE", "TUNNELS", "LISTED", "SEQ", "OWN", "CLOCK"}}
	for _, f := range v.Frontends {
		rows = append(rows, []string{
			f.Name, f.roles(), f.state(), strconv.Itoa(f.Leases), strconv.FormatUint(uint64(f.Listed), 10),
			strconv.FormatUint(f.InstalledSeq, 10), f.Own.age(), f.clock(),
		})
	}
	table(w, rows)
	rows = [][]string{{"TUNNEL OF", "GATEWAY", "ENDS IN", "LISTED"}}
	for _, f := range v.Frontends {
		for _, t := range f.Tunnels {
			rows = append(rows, []string{f.Name, t.Gateway, span(max(0, time.Until(t.Ends))), either(t.Listed, "yes", "no")})
		}
	}
	if len(rows) > 1 {
		fmt.Fprintln(w)
		table(w, rows)
	}
}

// wrong has the checks that are not passed.
func (v statusView) wrong(w io.Writer) {
	lead := "\n"
	for _, c := range v.Checks {
		if !c.OK {
			fmt.Fprintf(w, "%s[!] %s: %s\n", lead, c.Name, c.Text)
			lead = ""
		}
	}
}

var _ view = statusView{}
