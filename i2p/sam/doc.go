// Package sam speaks SAMv3, I2P's line protocol between programs and routers:
// one parser, one printer, one table of commands, a packet server and a packet
// client.
//
// The Server is what a frontend runs. Backends attach to the one Destination
// that the frontend hosts, with SESSION CREATE STYLE=RAW, and exchange packets
// of any I2CP protocol by RAW SEND and RAW RECEIVED:
//
//	server := sam.NewServer(sam.ServerConfig{Host: host})
//	go server.Serve(ctx, listener)
//	server.Deliver(packet) // for each packet that the router hands in
//
// The PacketClient is what a backend holds per frontend:
//
//	client, err := sam.Dial(ctx, sam.ClientConfig{
//		Addr:     "127.0.0.1:7656",
//		ID:       "backend-1",
//		OnPacket: func(p sam.Packet) { ... },
//	})
//	err = client.Send(sam.Packet{Peer: peer, Protocol: 6, Data: data})
//
// A bridge for any program, with STREAM and DATAGRAM sessions, is another server
// on the same parser, printer and table: Reader, Command, Kind, the Append
// functions and Refusef are for it too.
//
// The package is no streaming stack and no router: it moves packets. Its own
// Server serves no STREAM and no DATAGRAM sessions.
//
// The formats are those of I2P's "SAM V3" specification, version 3.3. Where the
// Server goes beyond it or differs:
//
//   - A session attaches to the Destination that is hosted already, so
//     DESTINATION=TRANSIENT, its public base64, its b32 address and its private
//     keys all mean that one; a key of another Destination is INVALID_KEY. Many
//     sessions attach at once, and each gets every packet that its
//     LISTEN_PROTOCOL and LISTEN_PORT match, where SAM gives a packet to one.
//   - PROTOCOL and LISTEN_PROTOCOL may be 6, 17, 19 and 20, and 0 listens to
//     all protocols, streaming included.
//   - With SEND_STATUS=true at SESSION CREATE, an ID=n on RAW SEND is answered
//     by RAW STATUS ID=n RESULT=... (proposal 140, "Send Status").
//   - With SEND_DRAIN=true at SESSION CREATE, SESSION DRAIN ACTIVE=true or false
//     says that the router is being drained, or is no longer.
//   - With SEND_LEASESETS=true at SESSION CREATE, SESSION LEASESET PUBLISHED=n says
//     of what date the LeaseSet is that the router has: a remote takes no older one
//     than it holds.
//     SESSION STATUS then has REFUGE=true if the router is a refuge: it serves
//     what comes to it, and is no choice for anything else.
//   - With BACKEND=name at SESSION CREATE a session is one of several that share
//     what comes in, each packet to one: SESSION WEIGHT, HEARD and BEGAN, and the
//     FRONTEND and ID_KEY of SESSION STATUS, are for these. See docs/sam-extension.md.
//   - A session ends with SESSION STATUS RESULT=I2P_ERROR when the router
//     behind it goes down.
//   - DEST GENERATE makes Ed25519 keys unless told otherwise.
//   - Plain UDP, in and out, stays on the loopback.
package sam
