// Package sambridge is a SAM bridge (SAM 3.0 to 3.3) whose sessions are multihomed:
// a program that speaks SAM brings its Destination, and that is served by all routers
// of an onelease.Hosting. Its streams and datagrams outlive the loss of a router.
//
//	hosting, err := onelease.NewHosting(onelease.HostingConfig{Routers: routers})
//	ln, err := net.Listen("tcp", "127.0.0.1:7656")
//	bridge, err := sambridge.New(sambridge.Config{Hosting: hosting, Listeners: []net.Listener{ln}})
//	err = bridge.Run(ctx)
//
// It is as the specification of SAM 3.3 has it and, where that is silent, as the
// Java router's bridge does it. The lines are package sam's, which the packet server of
// frontends shares.
//
// # Who may do what
//
// A session belongs to the user that made it: without authorization to the one that
// has no name, which all such connections share, as on other bridges. IDs are
// each user's own. To a connection of another user a session is not there.
//
// Connections from other machines need TLS and a password, unless the Config says
// otherwise. See Users.
package sambridge
