package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/onelease/onelease/internal/admin"
	"github.com/onelease/onelease/internal/daemon"
	"github.com/onelease/onelease/internal/samd"
	"github.com/onelease/onelease/internal/upd"
	"github.com/onelease/onelease/internal/watch"
)

// errNotReady has the command fail after it has shown why.
var errNotReady = errors.New("it is not ready")

// statusFlags say which node is asked, and how often.
type statusFlags struct {
	client admin.Client
	dir    string
	watch  watchFlags
	json   jsonFlag
}

func nodeStatusCommand() *cobra.Command {
	var f statusFlags
	cmd := &cobra.Command{
		Use:   "status --admin ADDR",
		Short: "Show how a running node is: a site, frontend, balancer, backend or SAM bridge",
		Long: `Status asks a node at its --admin address how it is: whether it is ready, with a line
for each check ("[+]" is well, "[-]" is why it is not ready, "[!]" is wrong and no reason
not to be; of what is wrong it says since when), and what is particular to its role. Up, and
a backend with a --dir, answer without --admin as well: give their --dir.

Off the loopback the node is asked over TLS, and wants its token: give --token-file, and
--ca if its certificate is not of a CA that this system knows.

Exit codes: 0 the node is ready; 1 it is not, or does not answer; 2 wrong use.`,
		Example: `  onelease status --admin 127.0.0.1:7680
  onelease status --admin unix:/run/onelease/router-1.sock --watch
  onelease status --dir /var/lib/onelease/site-1
  onelease status --dir /var/lib/onelease/backend-1 --json
  onelease status --admin 10.0.0.5:7680 --token-file token --ca admin.pem`,
		Args: noArgs,
		RunE: f.run,
	}
	flags := cmd.Flags()
	flags.StringVar(&f.client.Addr, "admin", "", "`host:port` or unix:PATH, as the node has it")
	flags.StringVar(&f.dir, "dir", "", "`directory` of onelease up or of a backend, in place of --admin")
	flags.StringVar(&f.client.TokenFile, "token-file", "", "`file` with the token that the node wants, which only its owner may read")
	flags.StringVar(&f.client.CAFile, "ca", "", "PEM `file` with the CA of the node's certificate, or that itself; it is then asked over TLS on the loopback too")
	f.watch.add(cmd)
	f.json.add(cmd)
	return cmd
}

func (f *statusFlags) run(cmd *cobra.Command, _ []string) error {
	if (f.dir == "") == (f.client.Addr == "") {
		return wrongUse(cmd, errors.New("which node? give its --admin, or --dir of onelease up or of a backend"))
	}
	if f.dir != "" {
		f.client.Addr = admin.Unix + daemon.ControlPath(f.dir)
	}
	return f.watch.run(cmd, f.json, func() error {
		ready, err := f.show(cmd)
		if err == nil && !ready {
			err = errNotReady
		}
		return err
	})
}

// askTime is for one answer.
const askTime = 10 * time.Second

func (f *statusFlags) show(cmd *cobra.Command) (ready bool, err error) {
	ctx, cancel := context.WithTimeout(cmd.Context(), askTime)
	defer cancel()
	report, err := f.client.Report(ctx)
	if err != nil {
		return false, misuse(cmd, err, admin.ErrConfig)
	}
	return report.Ready, f.json.show(cmd, nodeView(report))
}

// A nodeView is what a node says of itself.
type nodeView admin.Report

func (v nodeView) text(w io.Writer) {
	how := either(v.Ready, "ready", "NOT READY")
	if v.NotReadySince != nil {
		how += " " + admin.Since(*v.NotReadySince, v.At)
	}
	fmt.Fprintf(w, "%s is %s\n", strings.TrimSpace(v.Role+" "+v.Name), how)
	for _, c := range v.Checks {
		fmt.Fprintln(w, c.Line(v.At))
	}
	fmt.Fprintln(w)
	if err := v.particular(w); err != nil {
		fmt.Fprintf(w, "its status is of another version than this program: %v\n", err)
	}
}

// particular is what the role has besides.
func (v nodeView) particular(w io.Writer) error {
	raw, _ := v.Status.(json.RawMessage)
	switch v.Role {
	case admin.RoleBackend:
		return showAs(raw, w, backendView.text)
	case admin.RoleFrontend:
		return showAs(raw, w, frontendText)
	case admin.RoleBalancer:
		return showAs(raw, w, balancerText)
	case admin.RoleSAM:
		return showAs(raw, w, samText)
	case admin.RoleUp:
		return showAs(raw, w, upText)
	}
	return nil
}

func showAs[V any](raw json.RawMessage, w io.Writer, text func(V, io.Writer)) error {
	var v V
	err := json.Unmarshal(raw, &v)
	if err == nil {
		text(v, w)
	}
	return err
}

func frontendText(s watch.FrontendStatus, w io.Writer) {
	fmt.Fprintf(w, "Destination  %s\n", either(s.Destination == "", "not told yet", s.Destination))
	fmt.Fprintf(w, "Backends     %d\n", s.Backends)
	fmt.Fprintf(w, "Packets      %d in, %d out, %d dropped\n\n", s.PacketsIn, s.PacketsOut, s.Dropped)
	backendsText(s.Named, w)
	rows := [][]string{{"GATEWAY", "ENDS IN"}}
	for _, t := range s.Tunnels {
		rows = append(rows, []string{t.Gateway, span(max(0, time.Until(t.Ends)))})
	}
	table(w, rows)
}

// backendsText has those that share the Destination.
func backendsText(named []watch.Backend, w io.Writer) {
	if len(named) == 0 {
		return
	}
	rows := [][]string{{"BACKEND", "WEIGHT", "STREAMS SO FAR", ""}}
	for _, b := range named {
		note := strings.TrimSpace(either(b.Standby, "on standby ", "") + either(b.Quiet, "silent", ""))
		rows = append(rows, []string{b.Name, strconv.Itoa(b.Weight), strconv.FormatUint(b.Begun, 10), note})
	}
	table(w, rows)
	fmt.Fprintln(w)
}

// A balancerStatus is watch.BalancerStatus with what this program knows of the cluster's.
type balancerStatus struct {
	watch.BalancerStatus
	Cluster *statusView `json:"cluster"`
}

func balancerText(s balancerStatus, w io.Writer) {
	fmt.Fprintf(w, "Office       %s\n", s.Office)
	fmt.Fprintf(w, "Issued       seq %d of term %d\n", s.IssuedSeq, s.IssuedTerm)
	if s.Cluster == nil {
		fmt.Fprintf(w, "The leader, %s, knows the rest: ask it, or onelease cluster status.\n", either(s.Leader == "", "of which there is none", s.Leader))
		return
	}
	s.Cluster.known(w)
}

func samText(s samd.Status, w io.Writer) {
	fmt.Fprintf(w, "%s, %s, %s\n\n", counted(uint32(s.Destinations), "Destination"), counted(uint32(s.Connections), "connection"), counted(uint32(s.Streams), "stream"))
	rows := [][]string{{"ROUTER", "ROLES", "STATE", "DESTINATIONS"}}
	for _, r := range s.Routers {
		rows = append(rows, []string{r.Name, strings.Join(r.Roles, ", "), either(r.Up, "up", "away"), strconv.Itoa(r.Destinations)})
	}
	table(w, rows)
}

// An upStatus is upd.Status with what this program knows of the balancer's.
type upStatus struct {
	upd.Status
	Balancer statusView `json:"balancer"`
}

func upText(s upStatus, w io.Writer) {
	s.Balancer.known(w)
	fmt.Fprintln(w)
	backendView(s.Backend).text(w)
}

var _ view = nodeView{}
