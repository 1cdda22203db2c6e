package frontend

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"strings"
	"testing"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/sam"
)

// runUpstream runs a frontend on a fake bridge. sam3 needs real sockets, so
// there is no bubble, and waiting is for events.
func runUpstream(t *testing.T) (*fakeBridge, *Frontend, *logBuffer) {
	keys, err := i2p.GenerateKeys()
	if err != nil {
		t.Fatal(err)
	}
	bridge, out := startBridge(t, keys), &logBuffer{}
	f, err := New(Config{
		Name: "fallback",
		Router: RouterConfig{SAM: &UpstreamConfig{
			Addr:    bridge.tcp.Addr().String(),
			UDPPort: bridge.udp.LocalAddr().(*net.UDPAddr).Port,
			Keys:    keys,
			Options: []string{"inbound.quantity=2"},
		}},
		Logger: slog.New(slog.NewTextHandler(out, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- f.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
		if out.count(keys.Base64()[600:640]) > 0 {
			t.Error("private keys are in the log")
		}
	})
	return bridge, f, out
}

// opened is what the log says of each session with the bridge.
const opened = "level=INFO msg=\"session with the SAM bridge\""

// attachBackend attaches when the n-th session is open.
func attachBackend(t *testing.T, f *Frontend, out *logBuffer, n int, cfg sam.ClientConfig) *sam.PacketClient {
	t.Helper()
	out.await(t, opened, n)
	cfg.Dial = f.DialSAM
	client, err := sam.Dial(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func TestUpstreamCarriesRawDatagrams(t *testing.T) {
	bridge, f, out := runUpstream(t)
	received, status := make(chan string, 10), make(chan error, 10)
	client := attachBackend(t, f, out, 1, sam.ClientConfig{
		SendStatus: true,
		OnPacket:   func(p sam.Packet) { received <- string(p.Data) },
		OnStatus:   func(_ uint32, err error) { status <- err },
	})
	defer client.Close()
	if s := f.Status(); s.Mode != ModeUpstreamSAM || !s.RouterUp || s.Destination != bridge.keys.Destination.Base32() {
		t.Errorf("status %+v", s)
	}
	if out.count("upstream SAM is a fallback") != 1 {
		t.Error("the log does not say that this is the fallback")
	}
	if q, _ := bridge.option("inbound.quantity"); q != "2" {
		t.Errorf("inbound.quantity=%q, want 2", q)
	}
	if enc, _ := bridge.option("i2cp.leaseSetEncType"); enc != "4" {
		t.Errorf("i2cp.leaseSetEncType=%q, want 4", enc)
	}
	bridge.deliver("in\n\x00")
	if got := <-received; got != "in\n\x00" {
		t.Errorf("received %q", got)
	}
	peer, err := i2p.GenerateKeys()
	if err != nil {
		t.Fatal(err)
	}
	p := sam.Packet{Peer: peer.Destination, Protocol: 18, ID: 1, Data: []byte("out")}
	client.Send(p)
	if got := <-bridge.sent; !strings.HasSuffix(got, " "+peer.Destination.Base64()+" out") {
		t.Errorf("the bridge got %q", got)
	}
	if err := <-status; err != nil {
		t.Errorf("status %v", err)
	}
	checkRefused(t, client, p, status)
	if s := f.Status(); s.PacketsIn != 1 || s.PacketsOut != 1 || s.Dropped != 3 {
		t.Errorf("status %+v", s)
	}
}

// checkRefused sends three variants of p that stock SAM does not carry.
func checkRefused(t *testing.T, client *sam.PacketClient, p sam.Packet, status <-chan error) {
	t.Helper()
	for _, change := range []func(*sam.Packet){
		func(p *sam.Packet) { p.Protocol = 6 },
		func(p *sam.Packet) { p.ToPort = 80 },
		func(p *sam.Packet) { p.Data = make([]byte, maxDatagram) },
	} {
		refused := p
		change(&refused)
		client.Send(refused)
		if err := <-status; !errors.Is(err, sam.ResultI2PError) {
			t.Errorf("protocol %d, port %d, %d bytes: status %v", refused.Protocol, refused.ToPort, len(refused.Data), err)
		}
	}
}

func TestUpstreamLookup(t *testing.T) {
	bridge, f, out := runUpstream(t)
	client := attachBackend(t, f, out, 1, sam.ClientConfig{})
	defer client.Close()
	if got, err := f.upstream.Lookup(t.Context(), "ME"); err != nil || got != bridge.keys.Destination {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := f.upstream.Lookup(t.Context(), "unknown.i2p"); !errors.Is(err, sam.ResultKeyNotFound) {
		t.Errorf("unknown name: %v", err)
	}
}

func TestUpstreamReconnects(t *testing.T) {
	bridge, f, out := runUpstream(t)
	client := attachBackend(t, f, out, 1, sam.ClientConfig{})
	bridge.drop()
	<-client.Done()
	client.Close()
	received := make(chan string, 1)
	again := attachBackend(t, f, out, 2, sam.ClientConfig{OnPacket: func(p sam.Packet) { received <- string(p.Data) }})
	defer again.Close()
	bridge.deliver("after")
	if got := <-received; got != "after" {
		t.Errorf("received %q", got)
	}
}

func TestUpstreamRefused(t *testing.T) {
	bridge, f, out := runUpstream(t)
	client := attachBackend(t, f, out, 1, sam.ClientConfig{})
	bridge.mu.Lock()
	bridge.refuse = "SESSION STATUS RESULT=DUPLICATED_DEST"
	bridge.mu.Unlock()
	bridge.drop()
	<-client.Done()
	client.Close()
	out.await(t, "Duplicate destination", 1)
	if f.Status().RouterError == "" {
		t.Error("the status does not say why")
	}
	bridge.mu.Lock()
	bridge.refuse = ""
	bridge.mu.Unlock()
	attachBackend(t, f, out, 2, sam.ClientConfig{}).Close()
}

func TestUpstreamErrorsHoldNoKeys(t *testing.T) {
	keys, err := i2p.GenerateKeys()
	if err != nil {
		t.Fatal(err)
	}
	err = withoutKeys(errors.New("Unable to parse SAMv3 reply: SESSION STATUS DESTINATION=" + keys.Base64()))
	if strings.Contains(err.Error(), keys.Base64()[600:640]) {
		t.Error("the keys are in the error")
	}
	if short := errors.New("Duplicate destination"); withoutKeys(short) != short {
		t.Error("a harmless error was replaced")
	}
}
