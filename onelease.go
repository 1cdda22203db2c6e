// Package onelease runs all parts of a multihomed I2P Destination in one
// process: a balancer, a frontend for each router, and a backend with a
// service. It is what a program links that wants a Destination on several
// routers and nothing to deploy.
//
//	err := onelease.Run(ctx, onelease.Config{
//		Dir: "/var/lib/site", // keeps the Destination's keys
//		Routers: []onelease.Router{
//			{Name: "a", Addr: "127.0.0.1:7654", Member: true},
//			{Name: "b", Addr: "127.0.0.1:7664", Member: true},
//			{Name: "c", Addr: "127.0.0.1:7674", Publisher: true},
//		},
//		Service: backend.HTTP(80, handler),
//	})
//
// Run is the way for a program that serves until it is told to end. Start is for
// one that has more to do with the Node meanwhile: drain a router before its
// maintenance, look at the balancer's status, kill a part to see what that does.
//
// A program with Destinations that come and go, such as one for each of its users, has
// a Hosting in place of a Node: its Destinations share routers and nothing else.
//
//	hosting, err := onelease.NewHosting(onelease.HostingConfig{Routers: routers})
//	d, err := hosting.Open(ctx, onelease.Opening{}) // new keys, nobody can find it
//	conn, err := d.Host().DialContext(ctx, "i2p", "....b32.i2p:80")
//	...
//	d.Close()
//
// Package test/embedded has routers inside the program, to try things and for
// tests; backend/servicetest is for tests of a service alone.
//
// A program that links this package links no raft. It is a cluster's that runs
// elsewhere (Config.Cluster), or the program's own who wants several balancers in
// one process (Config.Balancers).
//
// The parts do not know that they share a process: the control link is gRPC
// and packets are SAM, both over connections in memory. Split over processes
// and machines they are packages balancer, frontend and backend.
package onelease
