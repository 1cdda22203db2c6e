package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/onelease/onelease/internal/admin"
	"github.com/onelease/onelease/internal/daemon"
)

func backendCommand() *cobra.Command {
	var f backendFlags
	cmd := &cobra.Command{
		Use:   "backend --dir DIR --frontend NAME=HOST:PORT --run PLUGIN",
		Short: "Run services on the Destination: plugins, and what is built in",
		Long: `Backend attaches to the frontends, and runs the services of the Destination until
SIGINT or SIGTERM. --dir was made by "onelease cluster join" with a token for a
backend; its certificate gets it the permission to sign. A setup without a cluster
has the Destination's own --keys instead, and frontends on the same machine.

Several backends may serve side by side: each new visitor goes to one of them, in
proportion to their --weight, and keeps to it. A --standby takes over when no other is left.

Services are plugins that "onelease plugin add" has registered (--run), programs that
are plugins (--plugin), or built in (--builtin: ` + strings.Join(daemon.Builtins(), ", ") + `), which have no process
of their own. Each opens ports of its own. A plugin that dies is started again. --set
changes single settings, and is merged over the plugin's own or those of --settings.

--config has all of that in a file, and flags come on top:

  dir = "/var/lib/onelease/backend-1"
  plugins = "/var/lib/onelease/plugins"
  drain-limit = "5m"
  [[frontend]]
  name = "router-1"
  address = "10.0.0.5:7670"
  [[service]]
  plugin = "site"                 # or path = "./site", or builtin = "site"
  settings = { root = "/srv/www" }

"onelease config example backend" prints one with all keys.

On the first SIGINT or SIGTERM it drains: nothing new is taken, and what is open may go
on for --drain-limit. On the second it ends at once. On SIGHUP it reads the file and
its certificate again, and replaces plugins that have changed, they or their settings,
without a gap: see "onelease plugin reload", which says whether that worked.

Exit codes: 0 it was told to end, and all streams had ended; 1 it failed, or
streams were cut; 2 wrong use.`,
		Example: `  onelease backend --dir /var/lib/onelease/backend-1 --frontend router-1=10.0.0.5:7670 --frontend router-2=10.0.0.6:7670 --run site
  onelease backend --dir backend-1 --frontend router-1=127.0.0.1:7670 --plugin ./site --set 'site.root="/srv/www"'
  onelease backend --keys site.dat --frontend router-1=127.0.0.1:7670 --builtin echo
  onelease backend --config /etc/onelease/backend.toml`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := f.config(cmd)
			if err != nil {
				return err
			}
			d, err := daemon.New(cfg)
			if err != nil {
				return misuse(cmd, err, daemon.ErrConfig, admin.ErrConfig)
			}
			return f.serve(cmd, d, cfg)
		},
	}
	f.add(cmd)
	cmd.AddCommand(backendStatusCommand())
	return cmd
}

// serve runs d until it has drained after the first signal, or until the second.
func (f *backendFlags) serve(cmd *cobra.Command, d *daemon.Daemon, cfg daemon.Config) error {
	cut, stop := onSecondSignal()
	defer stop()
	reload := reloading(cmd, &f.file, &cfg, f.config, func(next daemon.Config) error { return d.Reload(context.WithoutCancel(cmd.Context()), next) })
	defer attendDraining(cmd.Context(), d.Watch, "certificate and changed plugins", reload, cfg.Logger, cfg.DrainLimit)()
	fmt.Fprintln(cmd.OutOrStdout(), d.Address())
	return d.Run(cmd.Context(), cut)
}

// onSecondSignal returns a context that ends when it is told to end the second time.
func onSecondSignal() (cut context.Context, stop func()) {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	cut, cutNow := context.WithCancel(context.Background())
	go func() {
		defer signal.Stop(signals)
		for range 2 {
			select {
			case <-signals:
			case <-cut.Done():
				return
			}
		}
		cutNow()
	}()
	return cut, cutNow
}

// A backendFlags is what the command takes besides the file.
type backendFlags struct {
	file      configFile
	with      daemon.Config
	frontends []string
	services  serviceFlags
	log       logFlag
}

func (f *backendFlags) add(cmd *cobra.Command) {
	f.file.add(cmd, &f.with)
	cmd.Flags().StringArrayVar(&f.frontends, "frontend", nil, "`name=host:port` of a frontend's --sam; repeatable")
	f.services.add(cmd)
	f.log.add(cmd)
}

// config is the file with the flags on top, checked.
func (f *backendFlags) config(cmd *cobra.Command) (cfg daemon.Config, err error) {
	if err = f.file.read(cmd, &cfg); err != nil {
		return cfg, err
	}
	set := cmd.Flags().Changed
	if set("weight") && cfg.Weight < 1 {
		return cfg, wrongUse(cmd, fmt.Errorf("--weight %d: want 1 to 65535; see --standby", cfg.Weight))
	}
	if set("drain-limit") && cfg.DrainLimit <= 0 {
		return cfg, wrongUse(cmd, fmt.Errorf("--drain-limit %v: want more than 0s", time.Duration(cfg.DrainLimit)))
	}
	if cfg.Plugins == "" {
		cfg.Plugins = defaultPlugins()
	}
	if err := f.addFrontends(&cfg); err != nil {
		return cfg, wrongUse(cmd, err)
	}
	if err := f.services.onto(&cfg.Services); err != nil {
		return cfg, wrongUse(cmd, err)
	}
	if err := cfg.Check(); err != nil {
		if !f.services.any() {
			err = f.file.locate(cmd, err)
		}
		return cfg, misuse(cmd, err, daemon.ErrConfig)
	}
	cfg.Logger, err = f.log.logger(cmd)
	return cfg, err
}

func (f *backendFlags) addFrontends(cfg *daemon.Config) error {
	for _, text := range f.frontends {
		name, addr, found := strings.Cut(text, "=")
		if !found || name == "" || addr == "" {
			return fmt.Errorf("--frontend %q: want NAME=HOST:PORT", text)
		}
		cfg.Frontends = append(cfg.Frontends, daemon.Frontend{Name: name, Address: addr})
	}
	return nil
}
