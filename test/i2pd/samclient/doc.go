// Package samclient is a remote for tests: an ordinary SAM user of somebody's router
// that exchanges signed, repliable datagrams or has streams. It shares no code with the project's own
// SAM and datagram packages, so that a test through it proves that strangers understand
// them. It is not for production: no retries, no options of its own.
//
//	remote, err := samclient.Open(ctx, router.SAMAddr(), samclient.Options{})
//	err = remote.Send(destination, []byte("ping"))
//	reply := <-remote.Datagrams()
//
//	streams, err := samclient.OpenStreams(ctx, router.SAMAddr(), samclient.Options{})
//	conn, err := streams.Dial(ctx, destination)
//
// It speaks SAM 3.1 as stock i2pd has it: STYLE=DATAGRAM (or RAW) forwarded to a local UDP
// port, and sending through the bridge's UDP port, which is by default the TCP port minus
// one. OpenDirect has both go over the control connection.
// eyedeekay/sam3 does not take this place, because the project uses it. (In v0.33.8 it gives
// no HOST for forwarding, without which i2pd does not forward, and takes datagrams from
// anybody: its check of the sender compares IPs of 4 with those of 16 bytes.)
package samclient
