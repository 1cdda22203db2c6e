package main

import (
	"github.com/spf13/cobra"

	"github.com/onelease/onelease/balancer/cluster/clusterpb"
)

func removeFrontendCommand() *cobra.Command {
	return removeNodeCommand(&cobra.Command{
		Use:   "remove-frontend NAME --dir DIR",
		Short: "Remove a frontend that is gone for good, or may not come back",
		Long: `Remove-frontend has the cluster forget a frontend and its router's tunnels, refuse
its certificate, and close its connections. To have it back, invite it anew.

The cluster does not forget silent frontends by itself, since their drains must
outlive them.`,
		Example: `  onelease cluster remove-frontend router-3 --dir b1`,
		Args:    oneArg("frontend's name"),
	}, clusterpb.ChangeRequest_KIND_REMOVE_FRONTEND, "Removed frontend %s.")
}

func removeBackendCommand() *cobra.Command {
	return removeNodeCommand(&cobra.Command{
		Use:   "remove-backend NAME --dir DIR",
		Short: "Refuse a backend's certificate from now on",
		Long: `Remove-backend has the cluster refuse a backend's certificate and close its
connections. The permission to sign that it may hold is good until it ends, a day at
most by default: nobody can take that back.`,
		Example: `  onelease cluster remove-backend web-1 --dir b1`,
		Args:    oneArg("backend's name"),
	}, clusterpb.ChangeRequest_KIND_REMOVE_BACKEND, "Removed backend %s. What it was permitted to sign with is good until it ends.")
}

func removeGuestCommand() *cobra.Command {
	return removeNodeCommand(&cobra.Command{
		Use:   "remove-guest NAME --dir DIR",
		Short: "Refuse a guest's certificate from now on",
		Long: `Remove-guest has the balancers refuse a guest's certificate: it is not renewed any more.
Frontends do not know of it: take the name out of their --guests-of as well.`,
		Example: `  onelease cluster remove-guest sam-1 --dir b1`,
		Args:    oneArg("guest's name"),
	}, clusterpb.ChangeRequest_KIND_REMOVE_GUEST, "Removed guest %s. Take it out of --guests-of of the frontends, which do not know.")
}

func removeOperatorCommand() *cobra.Command {
	return removeNodeCommand(&cobra.Command{
		Use:   "remove-operator NAME --dir DIR",
		Short: "Refuse an operator's certificate from now on",
		Long: `Remove-operator has the cluster refuse an operator's certificate: after a laptop was
lost, or a colleague has left. Tokens that the operator has made and that were not used yet
stay good until they expire.`,
		Example: `  onelease cluster remove-operator alice --dir b1`,
		Args:    oneArg("operator's name"),
	}, clusterpb.ChangeRequest_KIND_REMOVE_OPERATOR, "Removed operator %s.")
}

func removeNodeCommand(cmd *cobra.Command, kind clusterpb.ChangeRequest_Kind, done string) *cobra.Command {
	request := &clusterpb.ChangeRequest{Kind: kind}
	cmd = changeCommand(cmd, request, done)
	cmd.Flags().BoolVar(&request.Force, "force", false, "even if the cluster has never heard of it: one that has joined and not been run")
	return cmd
}
