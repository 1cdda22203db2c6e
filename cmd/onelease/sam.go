package main

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/onelease/onelease/internal/admin"
	"github.com/onelease/onelease/internal/routers"
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
was made by "onelease cluster join" with a token for a guest, for its certificate.

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

"onelease config example sam" prints one with all keys. On SIGHUP the file, the
certificates and the users are read again: all of what was changed, or nothing.

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
	file    configFile
	with    samd.Config
	routers []string
	remote  []string
	log     logFlag
	json    jsonFlag
}

func (f *samFlags) add(cmd *cobra.Command) {
	f.file.add(cmd, &f.with)
	flags := cmd.Flags()
	flags.StringArrayVar(&f.routers, "router", nil, "`name=host:port,role`: a router's I2CP, and member, publisher or refuge, also inverted or auto; repeatable")
	flags.StringArrayVar(&f.remote, "frontend", nil, "`name=host:port,role`: a frontend's --guests, and member or publisher; repeatable")
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
	reload := reloading(cmd, &f.file, &cfg, f.config, b.Reload)
	defer attend(cmd.Context(), b.Watch, "certificates and users", reload, cfg.Logger)()
	cfg.Logger.Info("SAM bridge runs", "sam", b.Addrs(), "udp", b.UDPAddr(), "routers", len(cfg.Routers)+len(cfg.Frontends))
	defer cfg.Logger.Info("SAM bridge ends")
	return b.Run(cmd.Context())
}

// config is the file with the flags on top.
func (f *samFlags) config(cmd *cobra.Command) (cfg samd.Config, err error) {
	if err = f.file.read(cmd, &cfg); err != nil {
		return cfg, err
	}
	for _, text := range f.routers {
		r, err := routers.Parse(text)
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
	if err := cfg.Check(); err != nil {
		return cfg, misuse(cmd, f.file.locate(cmd, err), samd.ErrConfig)
	}
	cfg.Logger, err = f.log.logger(cmd)
	return cfg, err
}
