package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/onelease/onelease"
	"github.com/onelease/onelease/balancer/controlpb"
	"github.com/onelease/onelease/internal/admin"
	"github.com/onelease/onelease/internal/daemon"
	"github.com/onelease/onelease/internal/routers"
	"github.com/onelease/onelease/internal/upd"
)

var upLong = `Up puts a site on several routers of this machine, until SIGINT or SIGTERM: the balancer,
a frontend for each router and the backend with the services run in this one process. It
needs no cluster, no certificates and no passphrase. When one router dies the others go
on; when this process or this machine does, the site is away. Where that must not be, make a
cluster: "onelease cluster --help".

Each --router is one of yours, by its I2CP port. What it is for follows after commas: a
member serves, a publisher puts the LeaseSet into the netDB, a refuge takes in whom no
other can serve after a loss. Without a word it is a member; the only router is both.
Give a site two members and one publisher at least. How a router reads the option not to
publish, which i2pd 2.58 does the wrong way round, is found out at each start, before
its first session; once you know, add normal or inverted, and the start is shorter.

--keys is the Destination's private key file, in any format that "onelease key import" reads,
mode 0600. Without one keys are made in --dir at the first start: keep a copy of them. --dir
is for one process at a time; it keeps which LeaseSet was the newest.

What is served: --proxy passes on to a web server of yours, or to any TCP with tcp://HOST:PORT;
--site is a directory of files; --echo answers what it gets. --run, --plugin and --builtin
(` + strings.Join(daemon.Builtins(), ", ") + `), with --settings and --set, are as "onelease backend" has them. Several
may be given, which open ports of their own each.

The log says how the start gets on, and when the site is served. Then, with the same --dir,
"onelease status", "onelease drain", "onelease undrain" and "onelease plugin reload" ask this
process. --admin has it watched besides.

--config has all of that in a file, and flags come on top:

  dir = "/var/lib/onelease/site-1"
  keys = "/var/lib/onelease/site.dat"
  [[router]]
  name = "a"
  address = "127.0.0.1:7654"
  roles = ["member"]
  [[service]]
  builtin = "proxy"
  settings = { target = "http://127.0.0.1:8080" }

"onelease config example up" prints one with all keys. On SIGHUP it is read again, and
plugins that have changed, they or their settings, are replaced without a gap; all else
needs a new start, and the log says so.

On the first SIGINT or SIGTERM nothing new is taken, and what is open may go on for
--drain-limit. On the second it ends at once.

Exit codes: 0 it was told to end, and all streams had ended; 1 it failed, or
streams were cut; 2 wrong use.`

func upCommand() *cobra.Command {
	f := upFlags{with: upd.Default()}
	cmd := &cobra.Command{
		Use:   "up --dir DIR --router NAME=HOST:PORT,ROLE --proxy URL",
		Short: "Put a site on several routers of this machine, in one process",
		Long:  upLong,
		Example: `  onelease up --keys site.dat --dir site-1 --router a=127.0.0.1:7654,member --router b=127.0.0.1:7664,member --router c=127.0.0.1:7674,publisher --proxy http://127.0.0.1:8080
  onelease up --dir site-1 --router a=127.0.0.1:7654 --site ./public
  onelease up --config /etc/onelease/up.toml --admin 127.0.0.1:7680`,
		Args: noArgs,
		RunE: f.run,
	}
	f.add(cmd)
	return cmd
}

// An upFlags is what the command takes besides the file.
type upFlags struct {
	file        configFile
	with        upd.Config
	routers     []string
	proxy, site string
	echo        bool
	services    serviceFlags
	log         logFlag
	json        jsonFlag
}

func (f *upFlags) add(cmd *cobra.Command) {
	f.file.add(cmd, &f.with)
	flags := cmd.Flags()
	flags.StringArrayVar(&f.routers, "router", nil, "`name=host:port,role`: a router's I2CP, and member, publisher or refuge, also normal, inverted or auto; repeatable")
	flags.StringVar(&f.proxy, "proxy", "", "`URL` to pass on to: http://HOST:PORT, or tcp://HOST:PORT")
	flags.StringVar(&f.site, "site", "", "`directory` of files to serve")
	flags.BoolVar(&f.echo, "echo", false, "answer what comes with the same")
	f.services.add(cmd)
	f.log.add(cmd)
	f.json.add(cmd)
}

func (f *upFlags) run(cmd *cobra.Command, _ []string) error {
	cfg, err := f.config(cmd)
	if err != nil {
		return err
	}
	site, err := upd.Start(cfg)
	if err != nil {
		return misuse(cmd, err, upd.ErrConfig, onelease.ErrConfig, daemon.ErrConfig, admin.ErrConfig)
	}
	if err := f.json.show(cmd, upViewOf(site, &cfg)); err != nil {
		return errors.Join(err, site.Close())
	}
	cut, stop := onSecondSignal()
	defer stop()
	reload := reloading(cmd, &f.file, &cfg, f.config, func(next upd.Config) error { return site.Reload(context.WithoutCancel(cmd.Context()), next) })
	defer attendDraining(cmd.Context(), site.Watch, "changed plugins", reload, cfg.Logger, cfg.DrainLimit)()
	return site.Run(cmd.Context(), cut)
}

// config is the file with the flags on top, checked.
func (f *upFlags) config(cmd *cobra.Command) (cfg upd.Config, err error) {
	cfg = upd.Default()
	if err = f.file.read(cmd, &cfg); err != nil {
		return cfg, err
	}
	if cfg.Plugins == "" {
		cfg.Plugins = defaultPlugins()
	}
	for _, text := range f.routers {
		r, err := routers.Parse(text)
		if err != nil {
			return cfg, wrongUse(cmd, err)
		}
		cfg.Routers = append(cfg.Routers, upd.Router(r))
	}
	if err := f.addServices(&cfg); err != nil {
		return cfg, wrongUse(cmd, err)
	}
	if err := cfg.Check(); err != nil {
		if !f.namesServices() && len(f.routers) == 0 {
			err = f.file.locate(cmd, err)
		}
		return cfg, misuse(cmd, err, upd.ErrConfig, daemon.ErrConfig)
	}
	cfg.Leader = onlyLeader
	cfg.Logger, err = f.log.logger(cmd)
	return cfg, err
}

// onlyLeader is what "onelease cluster status" shows, without who leads: there is nobody else.
func onlyLeader(s *controlpb.Status) any {
	v := statusOf(s, time.Now())
	v.Leader, v.LeaderAddress = "", ""
	return v
}

// addServices adds those that flags name.
func (f *upFlags) addServices(cfg *upd.Config) error {
	if f.proxy != "" {
		cfg.Services = append(cfg.Services, daemon.Service{Builtin: "proxy", Settings: map[string]any{"target": f.proxy}})
	}
	if f.site != "" {
		cfg.Services = append(cfg.Services, daemon.Service{Builtin: "site", Settings: map[string]any{"root": f.site}})
	}
	if f.echo {
		cfg.Services = append(cfg.Services, daemon.Service{Builtin: "echo"})
	}
	return f.services.onto(&cfg.Services)
}

func (f *upFlags) namesServices() bool {
	return f.proxy != "" || f.site != "" || f.echo || f.services.any()
}

// An upView says what is put up.
type upView struct {
	Destination string `json:"destination"` // b32
	URL         string `json:"url"`
	// MadeKeys is where keys were made, empty if there were some.
	MadeKeys string         `json:"made_keys,omitempty"`
	Control  string         `json:"control"`
	Routers  []upRouterView `json:"routers"`
	Services []string       `json:"services"`
}

type upRouterView struct {
	Name    string   `json:"name"`
	Address string   `json:"address"`
	Roles   []string `json:"roles"`
}

func upViewOf(site *upd.Site, cfg *upd.Config) upView {
	v := upView{Destination: site.Address(), URL: site.URL(), MadeKeys: site.MadeKeys(), Control: site.Control(), Routers: []upRouterView{}, Services: []string{}}
	for _, r := range cfg.Routers {
		v.Routers = append(v.Routers, upRouterView{r.Name, r.Address, r.Roles})
	}
	for _, s := range cfg.Services {
		v.Services = append(v.Services, s.Called())
	}
	return v
}

func (v upView) text(w io.Writer) {
	fmt.Fprintf(w, "Destination  %s\n", v.URL)
	if v.MadeKeys != "" {
		fmt.Fprintf(w, "Keys         made now, in %s: keep a copy\n", v.MadeKeys)
	}
	fmt.Fprintf(w, "Services     %s\n", strings.Join(v.Services, ", "))
	for i, r := range v.Routers {
		fmt.Fprintf(w, "%-13s%s, %s: %s\n", either(i == 0, "Routers", ""), r.Name, r.Address, strings.Join(r.Roles, ", "))
	}
}

var _ view = upView{}
