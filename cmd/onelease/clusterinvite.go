package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/onelease/onelease/balancer/cluster"
	"github.com/onelease/onelease/balancer/cluster/clusterpb"
	"github.com/onelease/onelease/internal/pki"
)

func inviteCommand() *cobra.Command {
	var (
		access  accessFlags
		asJSON  jsonFlag
		invite  invitation
		request clusterpb.InviteRequest
		life    time.Duration
	)
	cmd := &cobra.Command{
		Use:   "invite --dir DIR --role ROLE --name NAME",
		Short: "Make a token with which a balancer, frontend, backend, guest or operator joins",
		Long: `Invite makes a token with which one node joins the cluster, in the role and with the
name that you give here. It is good once, and for --for. Until then it is a
password: send it over a way that you trust.

The token alone goes to stdout, so that it can be piped; all else goes to stderr.

Roles: a balancer gets the cluster's CA and the Destination's keys, both sealed; a
frontend stands beside a router; a backend runs the service, and may sign for the
Destination; a guest, such as "onelease sam", has Destinations of its own on routers
whose frontends take guests (--guests), and may do nothing else; an operator may give
these commands.`,
		Example: `  onelease cluster invite --dir b1 --role balancer --name b2 > b2.token
  onelease cluster invite --dir b1 --role frontend --name router-1 --for 24h > router-1.token
  onelease cluster invite --dir b1 --role guest --name sam-1 > sam-1.token
  onelease cluster invite --dir b1 --role operator --name alice | ssh alice@laptop onelease cluster join --dir .onelease`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := checkInvite(cmd, &request); err != nil {
				return err
			}
			request.LifeMs = life.Milliseconds()
			invite.Role, invite.Name = request.GetRole(), request.GetName()
			err := access.lead(cmd, func(ctx context.Context, leader *cluster.Conn) error {
				reply, err := leader.Invite(ctx, &request)
				invite.Token, invite.Expires = reply.GetToken(), time.UnixMilli(reply.GetExpiresMs()).UTC()
				return err
			})
			if err != nil {
				return err
			}
			invite.explain(cmd)
			return asJSON.show(cmd, invite)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&request.Role, "role", "", "what the node will be: balancer, frontend, backend, guest or operator")
	flags.StringVar(&request.Name, "name", "", "what it will be called: 1 to 64 of a-z 0-9 . - _")
	flags.DurationVar(&life, "for", time.Hour, "how long the token is good")
	flags.BoolVar(&request.NonVoter, "non-voter", false, "a balancer that follows without a vote")
	access.add(cmd)
	asJSON.add(cmd)
	return cmd
}

func checkInvite(cmd *cobra.Command, r *clusterpb.InviteRequest) error {
	if err := cmp.Or(needDir(cmd),
		need(cmd, "role", "say what the node will be: balancer, frontend, backend, guest or operator"),
		need(cmd, "name", "say what the node will be called"),
	); err != nil {
		return err
	}
	if err := oneOf(cmd, "role", r.GetRole(), "balancer", "frontend", "backend", "guest", "operator"); err != nil {
		return err
	}
	if r.GetNonVoter() && r.GetRole() != string(pki.Balancer) {
		return wrongUse(cmd, fmt.Errorf("--non-voter with --role %s: only balancers vote", r.GetRole()))
	}
	return nil
}

// An invitation is what Invite has made.
type invitation struct {
	Token   string    `json:"token"`
	Role    string    `json:"role"`
	Name    string    `json:"name"`
	Expires time.Time `json:"expires"`
}

func (i invitation) text(w io.Writer) { fmt.Fprintln(w, i.Token) }

func (i invitation) explain(cmd *cobra.Command) {
	address := ""
	if i.Role == string(pki.Balancer) {
		address = " --address HOST:PORT"
	}
	fmt.Fprintf(cmd.ErrOrStderr(), `A token for %s %s, good once, until %s. It is a password. Where it is to join:
  onelease cluster join --dir NEWDIR%s --token-file FILE
`, i.Role, i.Name, i.Expires.Format("2006-01-02 15:04 MST"), address)
}

var _ view = invitation{}
