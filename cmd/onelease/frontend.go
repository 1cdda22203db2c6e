package main

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strings"
	"sync"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/onelease/onelease/balancer/cluster"
	"github.com/onelease/onelease/frontend"
	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/internal/admin"
	"github.com/onelease/onelease/internal/pki"
)

// A frontendFlags is what the command takes besides the frontend's Config.
type frontendFlags struct {
	dir          string
	balancers    []string
	sam          []string
	dontPublish  string
	passwordFile string
	guests       guestFlags
	admin        adminFlags
	log          logFlag
}

func frontendCommand() *cobra.Command {
	var (
		cfg frontend.Config
		f   frontendFlags
	)
	cmd := &cobra.Command{
		Use:   "frontend --dir DIR",
		Short: "Run the frontend beside a router",
		Long: `Frontend connects one router with the rest, until SIGINT or SIGTERM: it holds the
Destination's I2CP session there, passes packets to and from the backends that
attach over SAM, reports the router's tunnels to the balancers, and installs
what their leader signs. --dir was made by "onelease cluster join" with a token for
a frontend; it keeps there which LeaseSet was the newest, so that it refuses older
ones after a restart.

The router runs on the same machine: the keys of LeaseSets cross I2CP in the clear.
A router that serves is a --member, one that publishes the LeaseSet a --publisher;
give every cluster a router of each kind at least. Without either it is a member.
A --refuge is one router more: it serves nobody, until a member is lost. Then it
takes in the visitors that the others could not serve before minutes.
i2pd 2.58 reads the option not to publish the wrong way round: say --dont-publish
inverted there, or auto to have it found out.

Backends attach at --sam. On the loopback they do so as they are; on any other
address they need a certificate of the cluster, for a backend, and TLS.

With --guests backends of the cluster may have this router carry Destinations of their
own as well, which come and go: "onelease sam" has some, one for each session. Each is
a session more on the router, in the roles that this one has. --guests-of names the
backends that may; all may if it is left out.

It renews its certificate by itself; SIGHUP has it read a changed one. When no
balancer can be reached it serves on for a while with what it has.`,
		Example: `  onelease frontend --dir /var/lib/onelease/router-1 --router 127.0.0.1:7654 --sam 127.0.0.1:7670
  onelease frontend --dir router-3 --router 127.0.0.1:7674 --publisher --dont-publish auto
  onelease frontend --dir router-1 --sam 10.0.0.5:7670 --router-user u --router-password-file /etc/onelease/i2cp
  onelease frontend --dir router-1 --member --sam 10.0.0.5:7670 --guests 10.0.0.5:7671 --guests-of sam-1`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			client, err := f.configure(cmd, &cfg)
			if err != nil {
				return err
			}
			endpoint, err := f.admin.open(cmd, cfg.Logger)
			if err != nil {
				return err
			}
			defer endpoint.Close()
			return runFrontend(cmd.Context(), cfg, client, &f.guests, endpoint)
		},
	}
	f.add(cmd, &cfg)
	return cmd
}

func (f *frontendFlags) add(cmd *cobra.Command, cfg *frontend.Config) {
	flags := cmd.Flags()
	flags.StringVar(&f.dir, "dir", "", "the frontend's `directory`")
	flags.StringArrayVar(&f.balancers, "balancer", nil, "`host:port` of a balancer, in place of those that --dir names; repeatable")
	flags.StringVar(&cfg.Router.Addr, "router", "127.0.0.1:7654", "`host:port` of the router's I2CP, on this machine")
	flags.StringVar(&cfg.Router.User, "router-user", "", "`user` for Java I2P with i2cp.auth")
	flags.StringVar(&f.passwordFile, "router-password-file", "", "`file` with its password, which only its owner may read")
	flags.BoolVar(&cfg.Member, "member", false, "the router serves")
	flags.BoolVar(&cfg.Publisher, "publisher", false, "the router publishes the LeaseSet")
	flags.BoolVar(&cfg.Refuge, "refuge", false, "the router takes in, after a loss, whom no other can serve at once")
	flags.StringVar(&f.dontPublish, "dont-publish", string(frontend.Normal), "how the router reads i2cp.dontPublishLeaseSet: normal, inverted (i2pd 2.58) or auto")
	flags.StringArrayVar(&f.sam, "sam", nil, "`host:port` to serve backends on; repeatable")
	f.guests.add(cmd)
	f.admin.add(cmd)
	f.log.add(cmd)
}

// configure completes cfg from the flags and the directory.
func (f *frontendFlags) configure(cmd *cobra.Command, cfg *frontend.Config) (*cluster.Client, error) {
	if err := cmp.Or(needDir(cmd), oneOf(cmd, "dont-publish", f.dontPublish, "normal", "inverted", "auto"), f.checkRouter(cmd, cfg), f.guests.check(cmd)); err != nil {
		return nil, err
	}
	client, err := cluster.NewClient(f.dir, f.balancers...)
	if err != nil {
		return nil, err
	}
	creds := client.Credentials()
	id := creds.Credentials().Identity()
	if id.Role != pki.Frontend {
		return nil, fmt.Errorf("%s is the directory of a %s: make a frontend's with onelease cluster invite --role frontend", f.dir, id.Role)
	}
	if cfg.Logger, err = f.log.logger(cmd); err != nil {
		return nil, err
	}
	if cfg.Router.Password, err = f.password(); err != nil {
		return nil, err
	}
	cfg.Name, cfg.Dir, cfg.DontPublish = id.Name, f.dir, frontend.Quirk(f.dontPublish)
	cfg.Control = frontend.ControlConfig{Balancers: client.Balancers(), TLS: pki.ClientTLS(creds, pki.Balancer, "")}
	cfg.SAM, err = listenSAM(f.sam)
	cfg.SAMTLS, cfg.BackendName = backendTLS(creds), backendName
	return client, err
}

// checkRouter keeps what is secret from crossing a network in the clear.
func (f *frontendFlags) checkRouter(cmd *cobra.Command, cfg *frontend.Config) error {
	host, _, err := net.SplitHostPort(cfg.Router.Addr)
	ip := net.ParseIP(host)
	switch {
	case err != nil:
		return wrongUse(cmd, fmt.Errorf("--router %q: want host:port of the router's I2CP", cfg.Router.Addr))
	case host != "localhost" && (ip == nil || !ip.IsLoopback()):
		return wrongUse(cmd, fmt.Errorf("--router %s is not on this machine: LeaseSets' keys would cross the network in the clear; run the frontend beside its router", cfg.Router.Addr))
	case (cfg.Router.User == "") != (f.passwordFile == ""):
		return wrongUse(cmd, fmt.Errorf("--router-user and --router-password-file: give both, or none"))
	case cfg.Refuge && (cfg.Member || cfg.Publisher):
		return wrongUse(cmd, fmt.Errorf("--refuge with --member or --publisher: a refuge has another key than those; use a router of its own"))
	case !cfg.Member && cfg.Publisher && len(f.sam) > 0:
		return wrongUse(cmd, fmt.Errorf("--sam with a router that only publishes: it serves no backends"))
	}
	return nil
}

// password reads the router's password.
func (f *frontendFlags) password() (string, error) {
	if f.passwordFile == "" {
		return "", nil
	}
	text, err := os.ReadFile(f.passwordFile)
	if err == nil {
		err = i2p.CheckKeyFile(f.passwordFile)
	}
	if err != nil {
		return "", fmt.Errorf("router's password: %w", err)
	}
	return strings.TrimRight(string(text), "\r\n"), nil
}

func listenSAM(addrs []string) (listeners []net.Listener, err error) {
	for _, addr := range addrs {
		ln, err := net.Listen("tcp", addr)
		if err != nil {
			return nil, fmt.Errorf("listen for backends: %w", err)
		}
		listeners = append(listeners, ln)
	}
	return listeners, nil
}

// runFrontend serves until ctx ends. The certificate is renewed meanwhile.
func runFrontend(ctx context.Context, cfg frontend.Config, client *cluster.Client, guests *guestFlags, endpoint *admin.Endpoint) error {
	f, err := frontend.New(cfg)
	if err != nil {
		return err
	}
	host, serveGuests, err := guests.server(f, cfg, client.Credentials())
	if err != nil {
		return err
	}
	defer endpoint.Serve(func() *admin.Snapshot { return watchFrontend(f, host) })()
	defer reloadOnHangup("certificates", client.Credentials().Reload, cfg.Logger)()
	var renewing sync.WaitGroup
	defer renewing.Wait()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	renewing.Go(func() { client.KeepRenewed(ctx, cfg.Logger) })
	cfg.Logger.Info("frontend runs", "name", cfg.Name, "router", cfg.Router.Addr, "sam", addresses(cfg.SAM))
	defer cfg.Logger.Info("frontend ends")
	group, both := errgroup.WithContext(ctx)
	group.Go(func() error { return f.Run(both) })
	group.Go(func() error { return serveGuests(both) })
	return group.Wait()
}

func addresses(listeners []net.Listener) slog.Value {
	var all []string
	for _, ln := range listeners {
		all = append(all, ln.Addr().String())
	}
	return slog.AnyValue(all)
}
