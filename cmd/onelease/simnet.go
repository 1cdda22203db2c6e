package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/onelease/onelease/i2p/simnet"
	"github.com/onelease/onelease/internal/demo"
	"github.com/onelease/onelease/internal/simproxy"
	"github.com/onelease/onelease/internal/way"
	"github.com/onelease/onelease/test/embedded"
)

// A simnetFlags is what the command takes.
type simnetFlags struct {
	i2cp  []string
	proxy []string
	slow  bool
	seed  uint64
}

func simnetCommand() *cobra.Command {
	var f simnetFlags
	cmd := &cobra.Command{
		Use:   "simnet --i2cp HOST:PORT",
		Short: "Serve an embedded I2P network, to try a deployment without routers",
		Long: `Simnet runs an I2P network in its process, until SIGINT or SIGTERM, with a router for each
--i2cp, whose I2CP frontends connect to as they do to a router of your own. Balancers,
frontends and backends then are those that you would deploy, and only the network is
not real. Nothing leaves this machine: all it listens to is on the loopback.

--http-proxy is a proxy into that network, as routers have one into theirs: curl -x, or a
browser. Behind each is a client on a router of its own. zzz.i2p, i2p-projekt.i2p and idk.i2p
are small sites there.

Routers behave as i2pd 2.45.1 does, but for the first tunnels of each Destination, which
are there at once; with --slow they take as long as others. Nothing is kept when it ends.`,
		Example: `  onelease simnet --i2cp 127.0.0.1:7654 --i2cp 127.0.0.1:7664 --i2cp 127.0.0.1:7674 --http-proxy 127.0.0.1:4444
  curl -x http://127.0.0.1:4444 http://....b32.i2p/`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := f.check(cmd); err != nil {
				return err
			}
			return f.run(cmd)
		},
	}
	flags := cmd.Flags()
	flags.StringArrayVar(&f.i2cp, "i2cp", nil, "`host:port` of a router's I2CP; repeatable, one router each")
	flags.StringArrayVar(&f.proxy, "http-proxy", nil, "`host:port` of a proxy into the network; repeatable, one client each")
	flags.BoolVar(&f.slow, "slow", false, "have first tunnels take as long as real ones")
	flags.Uint64Var(&f.seed, "seed", 1, "seed of the network's chance")
	return cmd
}

func (f *simnetFlags) check(cmd *cobra.Command) error {
	if len(f.i2cp) == 0 {
		return wrongUse(cmd, errors.New("--i2cp is not set: give host:port for each router"))
	}
	for _, addr := range slices.Concat(f.proxy, f.i2cp) {
		if !way.Loopback(addr) {
			return wrongUse(cmd, fmt.Errorf("%s is not on the loopback: this network is for this machine only; use 127.0.0.1:PORT", addr))
		}
	}
	return nil
}

// run serves until the command is told to end.
func (f *simnetFlags) run(cmd *cobra.Command) error {
	network := embedded.Start(embedded.Config{Members: len(f.i2cp), Profile: simnet.I2PD245, Slow: f.slow, Seed: f.seed, Names: demo.Names})
	defer network.Close()
	group, ctx := errgroup.WithContext(cmd.Context())
	for i, addr := range f.i2cp {
		ln, err := listen(ctx, addr)
		if err != nil {
			return err
		}
		router := network.Router(fmt.Sprintf("member-%d", i+1))
		group.Go(func() error { return unlessEnded(ctx, router.ServeI2CP(ln)) })
	}
	for _, addr := range f.proxy {
		ln, err := listen(ctx, addr)
		if err != nil {
			return err
		}
		server := &http.Server{Handler: simproxy.New(network.Remote().DialContext), ReadHeaderTimeout: time.Minute}
		group.Go(func() error { return unlessEnded(ctx, server.Serve(ln)) })
	}
	fmt.Fprintf(cmd.OutOrStdout(), "An embedded network with %s of your own runs.\n", counted(uint32(len(f.i2cp)), "router"))
	return group.Wait()
}

// listen listens until ctx ends.
func listen(ctx context.Context, addr string) (net.Listener, error) {
	ln, err := net.Listen("tcp", addr)
	if err == nil {
		context.AfterFunc(ctx, func() { ln.Close() })
	}
	return ln, err
}

// unlessEnded drops the error of a listener that was closed since ctx has ended.
func unlessEnded(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}
