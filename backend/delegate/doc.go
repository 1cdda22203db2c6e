// Package delegate gets a backend what it signs with, so that it never holds the
// Destination's signing key: a transient key, which the balancers permit for a
// while ("Offline Signatures", I2P proposal 123) and which is replaced long before
// that is over.
//
//	client, err := delegate.New(delegate.Config{
//		Name:      "web-1",
//		Balancers: []string{"10.0.0.1:7660", "10.0.0.2:7660"},
//		TLS:       mutual,
//	})
//	go client.Run(ctx)
//	host, err := backend.NewHost(backend.Config{Credentials: client, Frontends: frontends})
//
// The private half of a transient key is made here and never leaves the process.
// While no balancer can be reached, the backend goes on with the permission that
// it has, until that ends. A stolen permission is good until then as well: there is
// no way to take one back.
//
// It is a package of its own since it is what links gRPC; package backend does not.
// It neither signs nor sends anything.
package delegate
