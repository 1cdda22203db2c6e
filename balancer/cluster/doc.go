// Package cluster makes balancers a cluster that an operator can form, grow,
// watch and repair. A Node is one of them: a process that holds a copy of the
// replicated state (package raftstate) and, while it leads, does the leader's
// work (package balancer).
//
//	err := cluster.Init(cluster.InitConfig{Dir: dir, ID: "b1", Address: "10.0.0.1:7660", Keys: keys, Secret: secret})
//	node, err := cluster.Start(cluster.Config{Dir: dir, Secret: secret})
//	...
//	err = node.Close()
//
// Others join with an invitation:
//
//	err := cluster.Join(ctx, cluster.JoinConfig{Dir: dir, Address: "10.0.0.2:7660", Token: token})
//	node, err := cluster.Start(cluster.Config{Dir: dir, Secret: secret})
//
// # One port
//
// All that reaches a balancer comes in by one port, over TLS 1.3 with the
// cluster's own certificates: raft between balancers, the control service for
// frontends and backends, and the cluster service for operators. ALPN tells
// raft from the services, the certificate tells who may do what.
//
// # Who may what
//
// Nobody without a certificate gets anything but Join, and is sent away after
// half a minute. A frontend attaches, a backend asks for its permission, each
// under its own name; an operator does all else; raft is for balancers that are
// members. One that is not a member yet may enter. A guest, whose Destinations are on
// frontends' routers, has its certificate renewed and nothing more.
//
// A balancer's key is not sealed, since it votes while it is locked. So its certificate
// gives no commands: who has its directory has the balancer that runs there make an
// operator's (Client.Commander).
//
// A certificate is good for a year. Who is removed (Change) is refused from then
// on with all certificates issued before, by every balancer and by later
// leaders, its connections are closed, and it can join again with a new
// invitation. What a removed backend was permitted to sign stays good until
// it ends; what a removed frontend's router holds stays good for the minutes
// that LeaseSets live. A removed balancer has had the CA's key and the Destination's: if
// it is hostile, begin a new cluster, with a new Destination.
//
// # The directory
//
//	node.json        who this is, and where it is reached
//	ca.crt ca.key.sealed
//	                 the cluster's CA, its key sealed by the Destination's: every balancer is one
//	node.crt node.key
//	commands.sock    where commands with this directory go while the balancer runs
//	destination.age  the Destination's keys, sealed; not there if they are in memory only
//	raft/            the replicated state
//
// Frontends, backends, guests and operators have node.json, ca.crt, node.crt and
// node.key.
//
// # Keys
//
// A balancer without the Destination's keys votes, and hands the lead to one
// that has them. It gets them from destination.age, or from an operator
// (Unlock), for as long as it runs. With them the CA's key opens: without, a balancer can
// let nobody in.
package cluster
