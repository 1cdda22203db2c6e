// Package samclients has SAM clients that others wrote, each with a small program that
// uses it, and the tests that run them against our bridge on an embedded network:
//
//   - the Go library sam3, by its own tests, unchanged;
//   - @diva.exchange/i2p-sam for Node (node/): streams, datagrams and raw ones;
//   - txi2p for Twisted (python/): lines over streams;
//   - libtorrent (python/): a torrent from peer to peer.
//
// The tests take a minute and need SAM's own ports, 7656 and 7655, so they run only with
// ONELEASE_SAM_CLIENTS=1: "make test-samclients". Without a tool that one needs it is
// skipped; with ONELEASE_REQUIRE_TOOLS=1 it fails.
package samclients
