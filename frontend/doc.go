// Package frontend connects one router with the rest: it holds the
// Destination's I2CP session there, passes packets between that session and
// the backends that attach over SAM, reports the router's inbound tunnels to
// the balancers, and installs the LeaseSets that their leader signs.
//
//	f, err := frontend.New(frontend.Config{
//		Name:    "router-1",
//		Router:  frontend.RouterConfig{Addr: "127.0.0.1:7654"},
//		Control: frontend.ControlConfig{Balancers: []string{"127.0.0.1:7660"}},
//		SAM:     []net.Listener{listener},
//	})
//	err = f.Run(ctx)
//
// It is stateless but for what it was last given: it holds no signing key of
// the Destination, decides nothing about LeaseSets and knows no streams: of a
// packet it sees only whether a stream begins, to give the router its LeaseSet
// again for the newcomer. Any number may serve one Destination.
//
// # Without the balancers
//
// No packet waits for them. While none answers, the frontend gives its router
// the last LeaseSet again when it asks, as long as that is valid, and opens a
// lost session again with the last signed configuration, whose date i2pd does
// not check.
//
// # Upstream SAM
//
// With RouterConfig.SAM the frontend uses a stock SAM port in place of I2CP.
// The router then holds the keys and publishes for itself, so that the last
// publisher wins: there is no merged LeaseSet, and only raw datagrams without
// ports pass. It is a fallback, and what the rest is measured against.
package frontend
