// Package upd is what "onelease up" runs: a Destination on routers of this machine, with its
// balancer, a frontend for each router, and a backend with services, in one process and made
// from a file or flags. The parts are those of package onelease, which programs link.
//
//	cfg := upd.Default()
//	cfg.Dir = "/var/lib/onelease/site-1"
//	cfg.Routers = []upd.Router{{Name: "a", Address: "127.0.0.1:7654"}}
//	cfg.Services = []daemon.Service{{Builtin: "echo"}}
//	site, err := upd.Start(cfg)
//	err = site.Run(ctx, cut)
package upd
