package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/i2cp"
	"github.com/onelease/onelease/internal/way"
)

const lookupLong = `Lookup asks routers for a Destination: a b32 address, a host name of their address books, or
the Destination itself in base64. It needs no Destination of yours, and makes no session.

Each --router is one, by its I2CP port on this machine. It says whether it finds the
Destination: i2pd does while it has, or gets from the netDB, a LeaseSet that has not run
out; Java I2P also knows Destinations from elsewhere, and says so where there is no LeaseSet.
Java I2P tells the options of the LeaseSet as well, i2pd does not.

What is in the LeaseSet, its leases, gateways and ages, no router tells over I2CP. i2pd's
webconsole does, for what the router holds as a floodfill: --console is one, by its port on
this machine. A floodfill holds the few LeaseSets that are near it in the netDB, so that one
has it not says nothing; where none of those you can ask has, the leases cannot be seen.

With --dir, the directory of an operator or a balancer, the leader of a cluster is asked
whose tunnels the leases are. Leases that are nobody's ended a moment ago, or another
machine publishes for the same keys.`

// A lookupFlags is what the command takes.
type lookupFlags struct {
	routers, consoles []string
	access            accessFlags
	json              jsonFlag
}

func lookupCommand() *cobra.Command {
	var f lookupFlags
	cmd := &cobra.Command{
		Use:   "lookup DEST",
		Short: "Ask routers what they and the netDB have of a Destination",
		Long: lookupLong + `

Exit codes: 0 something has it; 1 nothing has; 2 wrong use.`,
		Example: `  onelease lookup y6p4mvs63d2rkpprfln3rpqi77a6wa2mr536x6sd4p5obdkgj2iq.b32.i2p
  onelease lookup zzz.i2p --router 127.0.0.1:7654 --router 127.0.0.1:7664 --json
  onelease lookup zzz.i2p --console 127.0.0.1:7070 --console 127.0.0.1:7071 --dir b1`,
		Args: oneArg("Destination"),
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd, args[0]) },
	}
	flags := cmd.Flags()
	flags.StringArrayVar(&f.routers, "router", nil, "`host:port` of a router's I2CP, "+i2cp.DefaultAddr+" if not set; repeatable")
	flags.StringArrayVar(&f.consoles, "console", nil, "`host:port` of an i2pd's webconsole; repeatable")
	f.access.add(cmd)
	f.json.add(cmd)
	return cmd
}

func (f *lookupFlags) run(cmd *cobra.Command, name string) error {
	if len(f.routers) == 0 {
		f.routers = []string{i2cp.DefaultAddr}
	}
	if err := f.check(cmd); err != nil {
		return err
	}
	v := lookupView{Name: name}
	if err := v.parse(cmd); err != nil {
		return err
	}
	var ours *ourTunnels
	if f.access.dir != "" {
		var err error
		if ours, err = f.ourTunnels(cmd); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithTimeout(cmd.Context(), f.access.timeout)
	defer cancel()
	v.askRouters(ctx, f.routers)
	v.askConsoles(ctx, f.consoles)
	v.compare(ours)
	if err := f.json.show(cmd, v); err != nil {
		return err
	}
	return v.outcome(cmd.Context())
}

// check refuses addresses that would tell a network who is looked up.
func (f *lookupFlags) check(cmd *cobra.Command) error {
	for flag, addrs := range map[string][]string{"router": f.routers, "console": f.consoles} {
		for _, addr := range addrs {
			if _, _, err := net.SplitHostPort(addr); err != nil {
				return wrongUse(cmd, fmt.Errorf("--%s %q: want host:port", flag, addr))
			}
			if !way.Loopback(addr) {
				return wrongUse(cmd, fmt.Errorf("--%s %s is not on this machine: what is looked up would cross the network in the clear; run this there, or forward its port, as by ssh -L", flag, addr))
			}
		}
	}
	if f.access.timeout <= 0 {
		return wrongUse(cmd, fmt.Errorf("--timeout %v: want more than 0s", f.access.timeout))
	}
	return nil
}

// parse finds out what is asked for: a name that is long is a Destination.
func (v *lookupView) parse(cmd *cobra.Command) error {
	switch {
	case len(v.Name) > 300:
		dest, err := i2p.ParseDestinationBase64(v.Name)
		if err != nil {
			return wrongUse(cmd, err)
		}
		v.Name = dest.Base32()
		v.learn(dest)
	case strings.HasSuffix(strings.ToLower(v.Name), ".b32.i2p") || !strings.Contains(v.Name, "."):
		hash, err := i2p.ParseBase32(v.Name)
		if err != nil {
			return wrongUse(cmd, err)
		}
		v.Name = hash.Base32()
		v.Address = v.Name
	case !strings.HasSuffix(strings.ToLower(v.Name), ".i2p"):
		return wrongUse(cmd, fmt.Errorf("%.80q is no host name of I2P: want one that ends in .i2p, a b32 address, or a Destination in base64", v.Name))
	}
	return nil
}

// askRouters asks all side by side.
func (v *lookupView) askRouters(ctx context.Context, addrs []string) {
	v.Routers = make([]routerFound, len(addrs))
	dests := make([]i2p.Destination, len(addrs))
	var asking sync.WaitGroup
	for i, addr := range addrs {
		asking.Go(func() { v.Routers[i], dests[i] = askRouter(ctx, addr, v.Name) })
	}
	asking.Wait()
	for _, dest := range dests {
		if !dest.IsZero() && v.Destination == "" {
			v.learn(dest)
		}
	}
}

// askRouter asks one.
func askRouter(ctx context.Context, addr, name string) (r routerFound, dest i2p.Destination) {
	began := time.Now()
	err := i2cp.Visit(ctx, i2cp.Config{Addr: addr}, func(ctx context.Context, c *i2cp.Client) error {
		return lookAgain(ctx, func() (err error) {
			dest, r.Options, err = c.LookupOptions(ctx, name)
			return err
		})
	})
	r.Router, r.TookMS = addr, time.Since(began).Milliseconds()
	if !dest.IsZero() {
		r.Address = dest.Base32()
	}
	switch {
	case err == nil:
		r.Result = resultFound
	case errors.Is(err, i2cp.ErrNoLeaseSet):
		r.Result = resultNoLeaseSet
	case errors.Is(err, i2cp.ErrNotFound):
		r.Result = resultNotFound
	default:
		r.Result, r.Error = resultFailed, cmp.Or(err, context.Cause(ctx)).Error()
	}
	return r, dest
}
