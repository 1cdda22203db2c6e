// Package memconn has connections through memory that behave as sockets do:
// they buffer, have deadlines and can be reset. It is for parts that run in one
// process, and for tests: a Conn blocks on condition variables only, so that it
// works under testing/synctest. It is not for moving data between processes.
//
//	listener := memconn.Listen("balancer-1")
//	go server.Serve(listener)
//	conn, err := listener.Dial(ctx)
//
// Pair makes the two ends of one connection without a listener.
package memconn
