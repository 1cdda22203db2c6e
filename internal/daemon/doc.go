// Package daemon is the process that "onelease backend" runs: a backend of one
// Destination with the services that an operator wants on it, most of them
// plugins, and a socket by which the operator asks how they are and has them
// reloaded.
//
//	d, err := daemon.New(daemon.Config{
//		Dir:       "/var/lib/onelease/backend-1",
//		Frontends: []daemon.Frontend{{Name: "a", Address: "127.0.0.1:7670"}},
//		Services:  []daemon.Service{{Name: "site", Path: "./site"}},
//	})
//	err = d.Run(ctx)
package daemon
