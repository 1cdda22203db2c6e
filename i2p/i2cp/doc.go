// Package i2cp speaks I2CP, the protocol between a client and its I2P router:
// its messages as bytes in both directions, and a client that keeps one
// session on one router.
//
// It is not a streaming library, it holds no signing key, and it decides
// nothing: what to sign, which leases to list and whom to answer is the
// business of its caller.
//
//	c := i2cp.New(i2cp.Config{Addr: "127.0.0.1:7654", SignedConfig: sign}, handler)
//	go c.Run(ctx)
//	// handler.LeasesRequested comes with the router's tunnels; whoever holds the
//	// Destination's key signs a LeaseSet with them:
//	c.InstallLeaseSet(signed, keys)
//	c.Send(remote, 0, 0, i2cp.ProtocolRaw, []byte("hello"), i2cp.SendOptions{})
//
// # Wire
//
// Each message is a value with AppendFrame, which appends a whole frame, and a
// ParseXxx, which reads the body that FrameReader.Next returned. Both are pure:
// they do no I/O and know no state. A server is built of the same functions.
// Parsers ignore bytes after the last field that they know.
//
// The formats are those of the I2CP specification and of its overview page;
// where a comment names a section, those are meant. What routers do beyond
// that was read in i2pd 2.45.1 and 2.58 and in Java I2P.
package i2cp
