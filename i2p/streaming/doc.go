// Package streaming is I2P's streaming protocol over any packet link: reliable
// byte streams, as net.Conn and net.Listener, between Destinations.
//
// A Stack holds the streams of one Destination. It does not know routers or
// frontends: packets go out by a Link, and whoever owns the Link hands what
// comes in to Receive. So a stream lives as long as the Stack, whatever way its
// packets take.
//
//	stack, err := streaming.New(streaming.Config{Origin: origin, Link: link})
//	ln, err := stack.Listen(80)
//	go http.Serve(ln, handler)
//	...
//	conn, err := stack.Dial(ctx, streaming.NewRemote(destination), 80)
//
// The format is that of I2P's "Streaming Protocol Specification". Time is the
// clock of package time alone, so that tests run it under testing/synctest.
package streaming
