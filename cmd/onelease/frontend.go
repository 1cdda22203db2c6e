package main

import (
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

// A frontendFlags is what the command takes.
type frontendFlags struct {
	file configFile
	with *frontendFile
	log  logFlag
}

func frontendCommand() *cobra.Command {
	f := frontendFlags{with: newFrontendFile()}
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

--config has all of that in a file, and flags come on top: "onelease config example
frontend" prints one with all keys.

It renews its certificate by itself; SIGHUP has it read a changed one. When no
balancer can be reached it serves on for a while with what it has.`,
		Example: `  onelease frontend --dir /var/lib/onelease/router-1 --router 127.0.0.1:7654 --sam 127.0.0.1:7670
  onelease frontend --dir router-3 --router 127.0.0.1:7674 --publisher --dont-publish auto
  onelease frontend --dir router-1 --sam 10.0.0.5:7670 --router-user u --router-password-file /etc/onelease/i2cp
  onelease frontend --dir router-1 --member --sam 10.0.0.5:7670 --guests 10.0.0.5:7671 --guests-of sam-1
  onelease frontend --config /etc/onelease/frontend.toml`,
		Args: noArgs,
		RunE: f.run,
	}
	f.file.add(cmd, f.with)
	f.log.add(cmd)
	return cmd
}

func (f *frontendFlags) run(cmd *cobra.Command, _ []string) error {
	file := newFrontendFile()
	if err := f.file.readChecked(cmd, file); err != nil {
		return err
	}
	cfg, client, err := f.configure(cmd, file)
	if err != nil {
		return err
	}
	endpoint, err := openAdmin(cmd, file.Address, cfg.Logger)
	if err != nil {
		return err
	}
	defer endpoint.Close()
	reload := func() error { return f.file.reload(cmd, file, newFrontendFile(), client.Credentials().Reload) }
	return runFrontend(cmd.Context(), cfg, client, &guestServer{file}, endpoint, reload)
}

// configure completes the frontend's Config from the directory.
func (f *frontendFlags) configure(cmd *cobra.Command, file *frontendFile) (cfg frontend.Config, client *cluster.Client, err error) {
	if client, err = cluster.NewClient(file.Dir, file.Balancers...); err != nil {
		return cfg, nil, err
	}
	creds := client.Credentials()
	id := creds.Credentials().Identity()
	if id.Role != pki.Frontend {
		return cfg, nil, fmt.Errorf("%s is the directory of a %s: make a frontend's with onelease cluster invite --role frontend", file.Dir, id.Role)
	}
	if cfg.Logger, err = f.log.logger(cmd); err != nil {
		return cfg, nil, err
	}
	cfg.Member, cfg.Publisher, cfg.Refuge = file.Member, file.Publisher, file.Refuge
	cfg.Router.Addr, cfg.Router.User = file.Router, file.RouterUser
	if cfg.Router.Password, err = file.password(); err != nil {
		return cfg, nil, err
	}
	cfg.Name, cfg.Dir, cfg.DontPublish = id.Name, file.Dir, frontend.Quirk(file.DontPublish)
	cfg.Control = frontend.ControlConfig{Balancers: client.Balancers(), TLS: pki.ClientTLS(creds, pki.Balancer, "")}
	cfg.SAM, err = listenSAM(file.SAM)
	cfg.SAMTLS, cfg.BackendName = backendTLS(creds), backendName
	return cfg, client, err
}

// password reads the router's password.
func (f *frontendFile) password() (string, error) {
	if f.RouterPasswordFile == "" {
		return "", nil
	}
	text, err := os.ReadFile(f.RouterPasswordFile)
	if err == nil {
		err = i2p.CheckKeyFile(f.RouterPasswordFile)
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
func runFrontend(ctx context.Context, cfg frontend.Config, client *cluster.Client, guests *guestServer, endpoint *admin.Endpoint, reload func() error) error {
	f, err := frontend.New(cfg)
	if err != nil {
		return err
	}
	host, serveGuests, err := guests.server(f, cfg, client.Credentials())
	if err != nil {
		return err
	}
	source := func() *admin.Snapshot { return watchFrontend(f, host) }
	defer endpoint.Serve(source)()
	defer attend(ctx, source, "certificates", reload, cfg.Logger)()
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
