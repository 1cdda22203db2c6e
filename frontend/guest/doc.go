// Package guest has the frontends of Destinations that come and go run in another
// process, beside its router: there they are guests. Their balancer is in the process
// that hosts the Destinations, and so are their keys; what reaches the frontend's is
// what its router needs, signed session configurations and LeaseSets.
//
// The frontend process runs a Server on a port of its own:
//
//	server, err := guest.NewServer(guest.ServerConfig{Frontend: template, Member: true, TLS: mutual, BackendName: name})
//	err = server.Serve(ctx, listener)
//
// The process that hosts has a Client for each frontend process, and a Guest of it for each
// Destination. onelease.Hosting does so for its HostingConfig.Frontends:
//
//	client, err := guest.NewClient(guest.ClientConfig{Name: "router-1", Dial: dial})
//	go client.Run(ctx)
//	g := client.NewGuest(guest.Config{Member: true, Control: serveBalancer})
//	go g.Run(ctx)                   // the guest is there until ctx ends
//	conn, err := g.DialSAM(ctx)     // as frontend.Frontend's
//
// # The connection
//
// One connection of mutual TLS carries all guests of one backend on one frontend, as
// streams of yamux. The backend opens a stream for each guest, which lasts as long as
// that, and one for each SAM connection to it; the frontend opens one for the
// guest's line to its balancer, gRPC as elsewhere. Each begins with a header of 24 bytes
// (wire.go), and what the backend opens is answered by a reply.
//
// # When the connection is lost
//
// The guest stays for ServerConfig.Grace, so that its tunnels need not be built anew
// when the backend comes back, and nobody else can take it over: a guest belongs
// to the backend's name in its certificate, and to 16 random bytes of its process. The
// Client connects again by itself.
package guest
