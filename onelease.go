// Package onelease runs all parts of a multihomed I2P Destination in one
// process: a balancer, a frontend for each router, and a backend with a
// service. It is what a program links that wants a Destination on several
// routers and nothing to deploy.
//
//	keys, err := i2p.ReadKeyFile("site.dat")
//	node, err := onelease.Start(onelease.Config{
//		Keys: keys,
//		Dir:  "/var/lib/onelease",
//		Routers: []onelease.Router{
//			{Name: "a", Addr: "127.0.0.1:7654", Member: true},
//			{Name: "b", Addr: "127.0.0.1:7664", Member: true},
//			{Name: "c", Addr: "127.0.0.1:7674", Publisher: true},
//		},
//		Service: backend.ServiceFunc(serve),
//	})
//	defer node.Close()
//
// The parts do not know that they share a process: the control link is gRPC
// and packets are SAM, both over connections in memory. Split over processes
// and machines they are packages balancer, frontend and backend.
package onelease
