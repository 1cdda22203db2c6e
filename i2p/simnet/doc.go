// Package simnet is an embedded I2P network: routers that are real I2CP
// servers, a netDB of floodfills, peers, inbound tunnels that live and fail,
// and in-process remote clients, with latency, loss and faults from a seed.
//
// It is for tests, demos and benchmarks of what sits above I2CP. It is not a
// router and not for the real network: messages are not encrypted. What it
// does model, as stock routers do it, is everything that decides whether a
// message arrives: which lease a sender chooses and for how long, which router
// knows a ratchet session, when a session is given up, what LeaseSet is
// bundled and taken, when the netDB gets to see one, whether a ping of the
// streaming protocol is answered. Signatures of LeaseSets
// and of session configurations are really verified.
//
//	network := simnet.New(simnet.Config{Seed: 1})
//	defer network.Close()
//	router := network.NewRouter(simnet.RouterConfig{Name: "r1", Profile: simnet.I2PD258})
//	conn, err := router.DialI2CP(ctx)   // or: go router.ServeI2CP(listener)
//	remote := network.NewRemote(simnet.RemoteConfig{Published: true})
//	err = remote.Send(dest.Hash(), 0, 0, i2cp.ProtocolRaw, []byte("hello"))
//
// A Remote with RemoteConfig.Streams has a Stack of package streaming in place of
// its router's own streams, with the session and the lease of each chosen as that
// would choose them (StreamRules): that is what decides whether a stream outlives
// the router that serves it.
//
// # Time
//
// The network reads the clock of package time and blocks on channels and
// condition variables only, so that a whole network with DialI2CP runs in
// virtual time under testing/synctest.
//
// # What a seed determines
//
// Every source of chance (links, tunnels, peers, lease choice) is a generator
// of its own, seeded from Config.Seed and the name of what uses it, and one
// goroutine runs everything that is due, in order of time. So the same seed
// and the same calls give the same run, as far as the caller's own goroutines
// reach the network in the same order. Destinations' keys are random unless
// given; what depends on their hashes is which floodfill is asked first.
//
// # Where it is simpler than life
//
// A lost message is lost as a whole. A duplicated message reaches the client
// twice, which the ratchet of a real router would not let happen: that is
// harsher on what sits above. The Stack retransmits in its own time, not in its
// router's, and gives up when that would; a plain ack counts as one that a timer
// sent, so that i2pd's path is chosen anew a little more often. That i2pd 2.58
// drops what is signed by another key than its session's is not modelled. There
// are no outbound tunnels, only the time
// until a router has some. A frozen router's clients find their messages
// delivered late; what other routers send to it meanwhile is lost.
package simnet
