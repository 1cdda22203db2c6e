// Package backend is the app framework: it runs a Service behind one I2P
// Destination that many frontends (each with its own router) serve at once.
//
// A Host holds a packet link to every frontend, and the streams and datagrams
// above all of them. It learns which remote came in by which frontend and answers
// it by the same one, since only the router behind that frontend can read what
// the remote sends next. When a frontend is lost, the Host says hello to the
// remotes that it served through those that are left (see HelloProtocol), and
// their streams go on there. The service sees none of this: it has a net.Listener,
// a DialContext and a net.PacketConn.
//
//	keys, err := i2p.ReadKeyFile("echo.dat")
//	host, err := backend.NewHost(backend.Config{
//		Frontends:   []backend.Frontend{{Addr: "127.0.0.1:7656"}},
//		Destination: keys.Destination,
//		Signer:      keys,
//	})
//	err = backend.Run(ctx, host, myService) // calls myService.Serve
//
// HTTP makes a Service of an http.Handler, Listener and Packets of a function, and
// Services one of several. Ready ones are the packages below plugins; Settings says
// how those take theirs.
//
// A service can also be a program of its own, a plugin, which Onelease starts: Serve is
// its whole main, and its Node is that of another process.
//
// Several Hosts can share a Destination behind the same frontends: give each a
// Config.Name. Each packet then goes to one of them, new streams in proportion to
// Config.Weight, and Host.Drain takes one out of service.
//
// A backend need not have the Destination's signing key: with Config.Credentials it
// signs with transient keys that the balancers permit for a day at a time; see
// package delegate.
//
// It is not a router and never talks to one, and it does not sign or publish
// LeaseSets; that is the work of packages frontend and balancer. What an
// application links with it holds neither Raft nor a database; a test sees
// to that.
package backend
