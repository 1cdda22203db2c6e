package main

import (
	"log/slog"
	"time"

	"github.com/spf13/cobra"

	"github.com/onelease/onelease/balancer/controlpb"
	"github.com/onelease/onelease/internal/admin"
	"github.com/onelease/onelease/internal/demo"
)

const demoLong = `Demo builds an I2P network in this process and hosts one Destination on it: four
routers with three tunnels each, and one that publishes: twelve leases in one
LeaseSet. Remotes on routers of their own send requests and get answers, and
each of them downloads over a stream meanwhile. Then a router and a frontend are
killed, and you see what that does. Requests that were under way then, or sent
before their remote was served again, count as cut; all others that are not
answered count as lost. Streams go on with another router, or count as broken.

The routers behave as i2pd 2.45.1 was seen to, the remotes as its SAM clients.
Stock routers do not let another router take over a session that is younger than
two minutes. Real sites' sessions are mostly older, and so the demo makes those
of its remotes --age older before the first kill. With --age 0s they are as young
as they are: what is stranded waits until it is two minutes old, and the demo
waits as well.

With --balancers 3 there is a cluster of balancers, and --kill leader kills the
one that leads: another signs the next LeaseSet after about half a second, and
no request and no stream notices.

With --kill drain a router is taken out of service as before maintenance, and is
stopped when nobody is left at it, which takes the backend two minutes: nothing
is cut. With --unpublished the remotes
publish no LeaseSets, as clients of i2pd's tunnels do not: nobody but the router
that served them can reach them, so a kill ends their streams ("unreachable"),
and a drain does not.

With --backends 2 there are two, and --kill backend kills the one with most streams: those end
with it, and all that comes after is for the other.

With --plugin the service is a plugin: a program in a process of its own. The remotes fetch
"/" from it by HTTP, each time by a new stream, and do not download. --kill plugin kills
its process with -9: requests that it was answering are cut, streams that come before
the next process is ready wait for it.

It begins with about half a minute of waiting, since the routers build their
tunnels as slowly as real ones do. With --policy merged the members hold the
merged LeaseSet, as a naive merge would: remotes stray to routers that cannot
read them, and requests are lost. That is why sticky is the default.

With --sam it is a SAM bridge on such a network instead ("onelease sam" is the same on
routers of your own), until SIGINT or SIGTERM: point any program that speaks SAM at it, and
try what it does. Some host names lead to small sites. --kill-every kills a router now
and then, and starts it again.

With --admin it can be watched meanwhile in a browser, or by "onelease status", as a site of
"onelease up" can; the frontends of all routers, the balancer that leads and the first
backend are those of this process.

Exit codes: 0 nothing was lost that should have been answered, and no stream broke
that had a way on; 1 something was or did, or the demo failed; 2 wrong use.`

const demoExample = `  onelease demo
  onelease demo --kill router --kill router --for 60s
  onelease demo --admin 127.0.0.1:7680 --for 5m
  onelease demo --balancers 3 --kill leader
  onelease demo --kill drain --for 4m
  onelease demo --kill drain --unpublished
  onelease demo --kill router --age 0s
  onelease demo --json --for 20s --kill none
  onelease demo --policy merged --kill none
  onelease demo --backends 2 --kill backend
  onelease demo --plugin ./site --settings site.toml --kill plugin
  onelease demo --sam 127.0.0.1:7656
  onelease demo --sam 127.0.0.1:7656 --kill-every 1m`

func demoCommand() *cobra.Command {
	cfg, sam, at := demo.Config{}, demoSAM{}, admin.Address{}
	cmd := &cobra.Command{
		Use:     "demo",
		Short:   "Show the job on an embedded network: nothing is installed, nothing leaves this process",
		Long:    demoLong,
		Example: demoExample,
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if cmd.Flags().Changed("sam") {
				return sam.run(cmd, cfg, at.Admin)
			}
			if err := sam.unused(cmd); err != nil {
				return err
			}
			if err := cfg.Check(); err != nil {
				return wrongUse(cmd, err)
			}
			var err error
			if cfg.Admin, err = openAdmin(cmd, at, slog.New(slog.DiscardHandler)); err != nil {
				return err
			}
			cfg.Leader = func(s *controlpb.Status) any { return statusOf(s, time.Now()) }
			cfg.Out, cfg.Progress = cmd.OutOrStdout(), cmd.ErrOrStderr()
			return demo.Run(cmd.Context(), cfg)
		},
	}
	addDemoFlags(cmd, &cfg)
	cmd.Flags().StringVar(&at.Admin, "admin", "", "`host:port` on the loopback or unix:PATH to watch it at")
	sam.add(cmd)
	return cmd
}

func addDemoFlags(cmd *cobra.Command, cfg *demo.Config) {
	flags := cmd.Flags()
	flags.IntVar(&cfg.Routers, "routers", 4, "member routers")
	flags.IntVar(&cfg.Balancers, "balancers", 1, "balancers, of which one leads")
	flags.IntVar(&cfg.Backends, "backends", 1, "backends that serve side by side")
	flags.StringVar(&cfg.Plugin, "plugin", "", "`path` of a plugin to serve, in place of the demo's own service")
	flags.StringVar(&cfg.Settings, "settings", "", "TOML `file` with the plugin's settings")
	flags.IntVar(&cfg.PluginPort, "plugin-port", 0, "I2P port to fetch from the plugin at (default 80)")
	flags.IntVar(&cfg.Tunnels, "tunnels", 3, "inbound tunnels of each")
	flags.DurationVar(&cfg.For, "for", 30*time.Second, "how long the remotes send and download")
	flags.StringArrayVar(&cfg.Kill, "kill", []string{"router", "frontend"}, "`what` to kill in turn: router, frontend, drain, leader, plugin, backend or none; repeatable")
	flags.DurationVar(&cfg.Age, "age", 3*time.Minute, "how much older remotes' sessions are made before the first kill")
	flags.BoolVar(&cfg.Unpublished, "unpublished", false, "have the remotes publish no LeaseSets")
	flags.Uint64Var(&cfg.Seed, "seed", 1, "seed of the embedded network's chance")
	flags.StringVar(&cfg.Policy, "policy", demo.Sticky, "which LeaseSets the members hold: sticky or merged")
	flags.BoolVar(&cfg.JSON, "json", false, "print one JSON object at the end instead of a table")
}
