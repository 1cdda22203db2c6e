// Package nearrpc calls a gRPC service of the same process with no connection in
// between: the generated client and server are used as they are, messages are encoded
// and decoded between them, and errors arrive as a status. It has no HTTP/2, no
// metadata and no interceptors.
//
//	conn := nearrpc.New(&controlpb.Control_ServiceDesc, balancer.Control())
//	client := controlpb.NewControlClient(conn)
//	...
//	conn.Close()
//
// It is for where many services with few clients each share a process: a stream is one
// goroutine and some hundred bytes, where HTTP/2 takes eight and 100 KiB.
package nearrpc
