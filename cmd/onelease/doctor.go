package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/onelease/onelease/internal/daemon"
	"github.com/onelease/onelease/internal/doctor"
	"github.com/onelease/onelease/internal/way"
)

const doctorLong = `Doctor checks a setup, before it runs and while it does, and says what to do about what
it finds: files and their modes, certificates, room on the disk, the roles of routers,
whether each router speaks I2CP, its clock, whether it takes a session, builds tunnels and
reads the option not to publish as is set for it, what the netDB knows of the
Destination, and ports that are open wider than they must.

Tell it what there is: --dir, the directory of a node or of onelease up; --keys, a key
file; each --router as for "onelease sam"; or --config, the file of a role. With --dir it
asks the cluster's leader, or onelease up, too. A --console is the webconsole of an i2pd:
it tells whether a tunnel of that router has the Destination beside us, and with --dir
also whose the leases in the netDB are, if the router is a floodfill and holds them. With
--running or --stopped it judges what the netDB has: while nothing of the setup runs, it
should have nothing, or another machine has the key.

It changes nothing. Routers see throwaway Destinations: one for a moment, and two for up
to two minutes, which --quick leaves out. What a stock router does not tell its clients
is not guessed: the line begins with a "?" and says why. docs/troubleshooting.md has all
checks and cures.

Exit codes: 0 nothing failed, though there may be warnings; 1 a check failed; 2 wrong use.`

func doctorCommand() *cobra.Command {
	var f doctorFlags
	cmd := &cobra.Command{
		Use:   "doctor [--dir DIR] [--keys FILE] [--router NAME=HOST:PORT,ROLE]",
		Short: "Check a setup, and say what to do",
		Long:  doctorLong,
		Example: `  onelease doctor --keys site.dat --router a=127.0.0.1:7654,member --router b=127.0.0.1:7664,member --router c=127.0.0.1:7674,publisher
  onelease doctor --dir /var/lib/onelease/router-1 --router router-1=127.0.0.1:7654,member --running
  onelease doctor --dir site-1 --running
  onelease doctor --config /etc/onelease/sam.toml --quick --json
  onelease doctor --keys site.dat --router a=127.0.0.1:7654 --stopped    # does another machine have the key?
  onelease doctor --keys site.dat --router a=127.0.0.1:7654 --console 127.0.0.1:7070    # or a tunnel of that i2pd?`,
		Args: noArgs,
		RunE: f.run,
	}
	flags := cmd.Flags()
	flags.StringVar(&f.dir, "dir", "", "the `directory` of a node, or of onelease up")
	flags.StringArrayVar(&f.balancers, "balancer", nil, "`host:port` of a balancer, in place of those that --dir names; repeatable")
	flags.StringArrayVar(&f.keys, "keys", nil, "a Destination's private key `file`; repeatable")
	flags.StringArrayVar(&f.routers, "router", nil, "`name=host:port,role`: a router's I2CP, and member, publisher or refuge, also inverted or auto; repeatable")
	flags.StringArrayVar(&f.consoles, "console", nil, "`host:port` of an i2pd's webconsole on this machine; repeatable")
	flags.StringVar(&f.file, "config", "", "TOML `file` of a role, by its name, as frontend.toml; of onelease sam if that says nothing")
	flags.BoolVar(&f.running, "running", false, "the setup runs: the netDB should know its Destination")
	flags.BoolVar(&f.stopped, "stopped", false, "nothing of the setup has run for ten minutes, on any machine: the netDB should not")
	flags.BoolVar(&f.quick, "quick", false, "leave out what takes up to two minutes: tunnels and the option to publish")
	f.json.add(cmd)
	return cmd
}

// A doctorFlags is what the command takes.
type doctorFlags struct {
	dir, file                          string
	control                            string // of onelease up, as its file has it
	balancers, keys, routers, consoles []string
	running, stopped, quick            bool
	json                               jsonFlag
}

func (f *doctorFlags) run(cmd *cobra.Command, _ []string) error {
	cfg, err := f.config(cmd)
	if err != nil {
		return err
	}
	if !f.json.on {
		cfg.Progress = func(all []doctor.Pending) { sayPending(cmd.ErrOrStderr(), all) }
	}
	report := doctor.Run(cmd.Context(), cfg)
	if err := cmd.Context().Err(); err != nil {
		return errors.New("interrupted before all was checked")
	}
	if err := f.json.show(cmd, doctorView{report}); err != nil {
		return err
	}
	if report.Failed > 0 {
		return fmt.Errorf("%d of %s failed", report.Failed, counted(uint32(len(report.Results)), "check"))
	}
	return nil
}

// config is what there is to check.
func (f *doctorFlags) config(cmd *cobra.Command) (cfg doctor.Config, err error) {
	if f.dir == "" && f.file == "" && len(f.keys)+len(f.routers) == 0 {
		return cfg, wrongUse(cmd, errors.New("nothing to check: give --dir, --keys, --router or --config"))
	}
	if err := atMostOne(cmd, "running", "stopped"); err != nil {
		return cfg, err
	}
	for _, addr := range f.consoles {
		if !way.Loopback(addr) {
			return cfg, wrongUse(cmd, fmt.Errorf("--console %q: want host:port on this machine, such as 127.0.0.1:7070", addr))
		}
	}
	cfg = doctor.Config{Dir: f.dir, Balancers: f.balancers, Keys: f.keys, Consoles: f.consoles, Quick: f.quick}
	if err := f.addRouters(cmd, &cfg); err != nil {
		return cfg, err
	}
	if cfg.Dir != "" && isSite(cfg.Dir) {
		cfg.Dir, cfg.Site = "", cfg.Dir
	}
	cfg.Others = cfg.Dir != "" || cfg.Site != "" && len(f.routers) > 0
	switch {
	case f.running:
		cfg.Life = doctor.Running
	case f.stopped:
		cfg.Life = doctor.Stopped
	}
	switch {
	case cfg.Dir != "":
		cfg.Cluster = func(ctx context.Context) ([]doctor.Frontend, error) { return askLeader(ctx, cfg.Dir, cfg.Balancers) }
	case cfg.Site != "" && isThere(cfg.Site):
		addSite(cmd.Context(), &cfg, cmp.Or(f.control, daemon.ControlPath(cfg.Site)))
	default:
		cfg.Site = "" // it has not been put up yet
	}
	return cfg, nil
}
