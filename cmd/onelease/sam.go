package main

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/onelease/onelease/internal/admin"
	"github.com/onelease/onelease/internal/samd"
)

const samLong = `Sam is a SAM bridge (SAM 3.0 to 3.3), until SIGINT or SIGTERM. Programs that speak SAM,
torrent clients, wallets, chats, connect to it as to a router's bridge and need no
change; but their Destinations are served by all routers at once, and their streams
outlive a router that dies.

Each --router is one of yours, by its I2CP port, on this machine. What it is for follows
after commas: a member serves, a publisher has the LeaseSets of sessions that listen put
into the netDB, a refuge takes in whom no other can serve after a loss. Without a word
it is a member; the only router is both. Give every bridge two members and one
publisher at least. i2pd 2.58 reads the option not to publish the wrong way round: add
inverted there, or auto to have it found out.

Routers on other machines are reached by the frontends of a cluster beside them, which
take guests: each --frontend is one, by its --guests port, with its roles as above. --dir
was made by "onelease cluster join" with a token for a backend, for its certificate.

Clients connect to --listen, and send datagrams to --udp. On any address but the loopback
they need TLS, and a name and a password of --users, a file that "onelease sam user add"
makes, and SAM's own AUTH ADD and AUTH REMOVE change while the bridge runs.

--config has all of that in a file, and flags come on top:

  listen = ["127.0.0.1:7656"]
  udp = "127.0.0.1:7655"
  max-sessions-per-user = 10
  [[router]]
  name = "a"
  address = "127.0.0.1:7654"
  roles = ["member"]

docs/sam.md says what clients can do, and what multihoming changes for them. "onelease
demo --sam 127.0.0.1:7656" is the same bridge on an embedded network, to try.

Exit codes: 0 it was told to end; 1 it failed; 2 wrong use.`

func samCommand() *cobra.Command {
	var f samFlags
	cmd := &cobra.Command{
		Use:   "sam --router NAME=HOST:PORT,ROLE",
		Short: "Run a SAM bridge whose sessions are multihomed",
		Long:  samLong,
		Example: `  onelease sam --router a=127.0.0.1:7654,member --router b=127.0.0.1:7664,member --router c=127.0.0.1:7674,publisher
  onelease sam --router a=127.0.0.1:7654 --listen 127.0.0.1:17656 --udp none
  onelease sam --config /etc/onelease/sam.toml --listen 10.0.0.5:7656 --tls-cert sam.pem --tls-key sam.key --users sam.users
  onelease sam --dir sam-1 --frontend router-1=10.0.0.5:7671,member --frontend router-2=10.0.0.6:7671,member --frontend router-3=10.0.0.7:7671,publisher
  onelease sam user add alice --users sam.users`,
		Args: noArgs,
		RunE: f.run,
	}
	f.add(cmd)
	cmd.AddCommand(samUserCommand())
	return cmd
}

// A samFlags is what the command takes besides the file.
type samFlags struct {
	file    string
	with    samd.Config
	routers []string
	remote  []string
	admin   adminFlags
	log     logFlag
	json    jsonFlag
}

func (f *samFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.file, "config", "", "TOML `file` with what the flags say")
	flags.StringArrayVar(&f.routers, "router", nil, "`name=host:port,role`: a router's I2CP, and member, publisher or refuge, also inverted or auto; repeatable")
	flags.StringArrayVar(&f.remote, "frontend", nil, "`name=host:port,role`: a frontend's --guests, and member or publisher; repeatable")
	flags.StringVar(&f.with.Dir, "dir", "", "the `directory` of a backend of the frontends' cluster")
	flags.StringArrayVar(&f.with.Balancers, "balancer", nil, "`host:port` of a balancer, in place of those that --dir names; repeatable")
	flags.StringArrayVar(&f.with.Listen, "listen", nil, "`host:port` for SAM clients, "+samd.DefaultListen+" if not set; repeatable")
	flags.StringVar(&f.with.UDP, "udp", "", "`host:port` for datagrams on the loopback, "+samd.DefaultUDP+" if not set, or none")
	flags.StringVar(&f.with.TLSCert, "tls-cert", "", "PEM `file` with the certificate; --listen then speaks TLS only")
	flags.StringVar(&f.with.TLSKey, "tls-key", "", "PEM `file` with its key, which only its owner may read")
	flags.BoolVar(&f.with.AllowPlain, "allow-plain", false, "let other machines connect without TLS: only where something else encrypts")
	flags.StringVar(&f.with.Users, "users", "", "`file` with the users, which only its owner may read")
	flags.BoolVar(&f.with.Auth, "auth", false, "ask for a password on the loopback too")
	flags.BoolVar(&f.with.ForwardAnywhere, "forward-anywhere", false, "let clients forward streams to any host, not only their own")
	flags.BoolVar(&f.with.Apart, "apart", false, "sessions of this bridge reach each other through the network, not within the process")
	flags.IntVar(&f.with.MaxSessions, "max-sessions", 0, "sessions that there may be (default 1000)")
	flags.IntVar(&f.with.MaxSessionsPerUser, "max-sessions-per-user", 0, "sessions that one user may have (default all)")
	flags.IntVar(&f.with.MaxConnections, "max-connections", 0, "connections of clients, streams among them (default 16384)")
	flags.IntVar(&f.with.MaxStreams, "max-streams", 0, "streams of one session (default 4096)")
	f.admin.add(cmd)
	f.log.add(cmd)
	f.json.add(cmd)
}

func (f *samFlags) run(cmd *cobra.Command, _ []string) error {
	cfg, err := f.config(cmd)
	if err != nil {
		return err
	}
	b, err := samd.New(cfg)
	if err != nil {
		return misuse(cmd, err, samd.ErrConfig, admin.ErrConfig)
	}
	if err := f.json.show(cmd, samView{b.Addrs(), b.UDPAddr(), nil}); err != nil {
		return errors.Join(err, b.Close())
	}
	if cfg.Dir != "" {
		defer reloadOnHangup("certificate", b.Reload, cfg.Logger)()
	}
	cfg.Logger.Info("SAM bridge runs", "sam", b.Addrs(), "udp", b.UDPAddr(), "routers", len(cfg.Routers)+len(cfg.Frontends))
	defer cfg.Logger.Info("SAM bridge ends")
	return b.Run(cmd.Context())
}

// config is the file with the flags on top.
func (f *samFlags) config(cmd *cobra.Command) (cfg samd.Config, err error) {
	if f.file != "" {
		if cfg, err = samd.ReadConfig(f.file); err != nil {
			return cfg, misuse(cmd, err, samd.ErrConfig)
		}
	}
	set := cmd.Flags().Changed
	for flag, apply := range map[string]func(){
		"dir": func() { cfg.Dir = f.with.Dir }, "balancer": func() { cfg.Balancers = f.with.Balancers },
		"listen": func() { cfg.Listen = f.with.Listen }, "udp": func() { cfg.UDP = f.with.UDP },
		"tls-cert": func() { cfg.TLSCert = f.with.TLSCert }, "tls-key": func() { cfg.TLSKey = f.with.TLSKey },
		"allow-plain": func() { cfg.AllowPlain = f.with.AllowPlain }, "auth": func() { cfg.Auth = f.with.Auth },
		"apart": func() { cfg.Apart = f.with.Apart },
		"users": func() { cfg.Users = f.with.Users }, "forward-anywhere": func() { cfg.ForwardAnywhere = f.with.ForwardAnywhere },
		"max-sessions":          func() { cfg.MaxSessions = f.with.MaxSessions },
		"max-sessions-per-user": func() { cfg.MaxSessionsPerUser = f.with.MaxSessionsPerUser },
		"max-connections":       func() { cfg.MaxConnections = f.with.MaxConnections },
		"max-streams":           func() { cfg.MaxStreams = f.with.MaxStreams },
	} {
		if set(flag) {
			apply()
		}
	}
	for _, text := range f.routers {
		r, err := samd.ParseRouter(text)
		if err != nil {
			return cfg, wrongUse(cmd, err)
		}
		cfg.Routers = append(cfg.Routers, r)
	}
	for _, text := range f.remote {
		r, err := samd.ParseFrontend(text)
		if err != nil {
			return cfg, wrongUse(cmd, err)
		}
		cfg.Frontends = append(cfg.Frontends, r)
	}
	cfg.Logger, err = f.log.logger(cmd)
	cfg.Admin = f.admin.config(cfg.Logger)
	return cfg, err
}
