// Package plugin runs a service that is a program of its own: it starts the program by
// hashicorp/go-plugin, hands it the streams and datagrams of the Destination, watches
// it, starts it again when it dies, and puts a new one in its place with nothing lost.
//
// A Supervisor is a backend.Service, so it runs where any service does:
//
//	s, err := plugin.New(plugin.Config{Name: "site", Path: "./site", Settings: `root = "/srv/www"`})
//	err = backend.Run(ctx, host, s)
//
// or, with the plugins that an operator has registered:
//
//	c, err := catalog.Open("/var/lib/onelease/plugins")
//	s, err := plugin.New(plugin.Config{Name: "site", Catalog: c})
//
// A plugin that misbehaves is its own loss: it is ended with all of its process
// group and started again, and what it had open is reset. Neither it nor its log holds
// up the host or a service beside it. docs/plugins.md has what is done when;
// docs/plugin-protocol.md has what crosses. The other end is backend.Serve.
package plugin
