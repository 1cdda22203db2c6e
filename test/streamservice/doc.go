// Package streamservice is a service for tests: it sends and takes bytes that a
// seed determines, over any net.Conn, so that both ends can tell whether every
// byte arrived, and when it did. It runs behind a Destination of ours and behind
// a stock router's own streaming alike, to compare them.
//
//	server := streamservice.NewServer()
//	go server.Serve(listener)
//	...
//	var meter streamservice.Meter
//	err := streamservice.Get(conn, streamservice.Transfer{Size: 20 << 20, Seed: 1}, &meter)
//	fmt.Println(meter.Report().Gap)
//
// A connection carries requests, one after the other, each a line:
//
//	get SIZE SEED RATE    the server sends SIZE bytes, RATE in a second (0: unlimited)
//	last SIZE SEED RATE   the same, and the server closes the connection at once
//	put SIZE SEED         SIZE bytes follow; the server answers "ok", or what is wrong
//	echo                  all that follows is sent back
package streamservice
