package samconform

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/onelease/onelease"
	"github.com/onelease/onelease/i2p/simnet"
	"github.com/onelease/onelease/plugins/sambridge"
	"github.com/onelease/onelease/test/embedded"
)

// ours are the results of our own bridge: examined once, for all tests that want them.
var ours struct {
	once    sync.Once
	results []result
}

// TestOnelease runs the suite against our bridge on the embedded network. It must support
// every row.
func TestOnelease(t *testing.T) {
	t.Parallel()
	for _, r := range examineOurs(t) {
		t.Run(r.row.section+": "+r.row.says, func(t *testing.T) {
			switch {
			case r.failure != "":
				t.Error(r.failure)
			case r.skipped != "":
				t.Error("not asked: " + r.skipped)
			}
		})
	}
}

// examineOurs returns ours.
func examineOurs(t *testing.T) []result {
	ours.once.Do(func() {
		begin := time.Now()
		target := startOurs(t)
		ours.results = runAll(t.Context(), target, chosen(t), 12)
		t.Logf("our bridge: %s, all in %.1f s", summary(ours.results), time.Since(begin).Seconds())
	})
	return ours.results
}

// host is a name that the embedded routers know.
const host = "conform.i2p"

// startOurs starts our bridge, and beside it one for authorization, one with TLS and one that
// does not wait. The routers are Java's: they take offline-signed keys, which i2pd's do
// not, and a raw datagram behind the first one is not lost if nobody has answered.
func startOurs(t *testing.T) *target {
	certificate, err := selfSigned()
	if err != nil {
		t.Fatal(err)
	}
	hosting, packets := newHosting(t), listenPackets(t)
	return &target{
		name: "Onelease", speaks: "3.3", host: host, certificate: certificate, udp: packets.LocalAddr().String(),
		tcp:       startBridge(t, sambridge.Config{Hosting: hosting, Packets: packets, ForwardTLS: trusting(certificate)}),
		aside:     startBridge(t, sambridge.Config{Hosting: hosting}),
		tls:       startBridge(t, sambridge.Config{Hosting: hosting, TLS: &tls.Config{Certificates: []tls.Certificate{certificate}}}),
		impatient: startBridge(t, sambridge.Config{Hosting: hosting, Limits: sambridge.Limits{HelloTime: time.Second}}),
		// Generous, for a busy machine: nothing waits for these to pass.
		quick: 15 * time.Second, slow: time.Minute, delivery: time.Minute, resend: 500 * time.Millisecond,
	}
}

func newHosting(t *testing.T) *onelease.Hosting {
	network := embedded.Start(embedded.Config{Profile: simnet.JavaI2P, Names: []string{host}})
	t.Cleanup(network.Close)
	hosting, err := onelease.NewHosting(onelease.HostingConfig{Routers: network.Routers(), Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { hosting.Close() })
	return hosting
}

func trusting(certificate tls.Certificate) *tls.Config {
	pool := x509.NewCertPool()
	pool.AddCert(certificate.Leaf)
	return &tls.Config{RootCAs: pool}
}

func listenPackets(t *testing.T) net.PacketConn {
	packets, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return packets
}

// startBridge runs a bridge until the test ends, and returns where it listens.
func startBridge(t *testing.T, cfg sambridge.Config) string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	cfg.Listeners, cfg.Logger = []net.Listener{listener}, slog.New(slog.DiscardHandler)
	bridge, err := sambridge.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- bridge.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		<-ended
	})
	return listener.Addr().String()
}
