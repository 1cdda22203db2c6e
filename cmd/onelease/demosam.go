package main

import (
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/onelease/onelease/internal/admin"
	"github.com/onelease/onelease/internal/demo"
	"github.com/onelease/onelease/internal/samd"
)

// A demoSAM is what the demo takes for a SAM bridge.
type demoSAM struct {
	listen, udp string
	killEvery   time.Duration
}

func (d *demoSAM) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&d.listen, "sam", "", "`host:port` to serve SAM clients at, until it is told to end")
	flags.StringVar(&d.udp, "sam-udp", "", "`host:port` for their datagrams (default the port below --sam's), or none")
	flags.DurationVar(&d.killEvery, "kill-every", 0, "how often a router is killed under --sam, each in its turn (default never)")
}

// withoutSAM are the flags of the demo that say nothing to a SAM bridge.
var withoutSAM = []string{"balancers", "backends", "plugin", "settings", "plugin-port", "tunnels", "for", "kill", "age", "unpublished", "policy"}

// unused refuses flags that are for --sam only.
func (d *demoSAM) unused(cmd *cobra.Command) error {
	for _, flag := range []string{"sam-udp", "kill-every"} {
		if cmd.Flags().Changed(flag) {
			return wrongUse(cmd, fmt.Errorf("--%s is for --sam: give that as well", flag))
		}
	}
	return nil
}

func (d *demoSAM) run(cmd *cobra.Command, cfg demo.Config, at string) error {
	for _, flag := range withoutSAM {
		if cmd.Flags().Changed(flag) {
			return wrongUse(cmd, fmt.Errorf("--%s says nothing to a SAM bridge: leave it out, or --sam", flag))
		}
	}
	if d.udp == "" {
		d.udp = portBelow(d.listen)
	}
	show := jsonFlag{cfg.JSON}
	sam := demo.SAMConfig{
		Routers: cfg.Routers, Listen: d.listen, UDP: d.udp, Seed: cfg.Seed, KillEvery: d.killEvery, Admin: at,
		Logger: slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), &slog.HandlerOptions{Level: slog.LevelError})),
		Ready: func(sam []string, udp string, names map[string]string) error {
			return show.show(cmd, samView{sam, udp, names})
		},
		Progress: cmd.ErrOrStderr(),
	}
	if err := sam.Check(); err != nil {
		return wrongUse(cmd, err)
	}
	return misuse(cmd, demo.RunSAM(cmd.Context(), sam), samd.ErrConfig, admin.ErrConfig)
}

// portBelow is addr with the port before its own, as 7655 is before 7656: where SAM clients
// send datagrams. Any port stays any.
func portBelow(addr string) string {
	host, text, _ := net.SplitHostPort(addr)
	port, err := strconv.ParseUint(text, 10, 16)
	if err != nil || port < 2 {
		return net.JoinHostPort(host, "0")
	}
	return net.JoinHostPort(host, strconv.FormatUint(port-1, 10))
}
