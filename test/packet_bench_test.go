package test

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"runtime"
	"testing"
	"time"

	"github.com/onelease/onelease"
	"github.com/onelease/onelease/backend"
	"github.com/onelease/onelease/balancer"
	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/i2cp"
	"github.com/onelease/onelease/i2p/simnet"
	"github.com/onelease/onelease/internal/coalesce"
)

const (
	benchPacket = 1400 // bytes of payload, about what streaming sends
	benchWindow = 512  // packets under way: more than a stage gathers at once
)

// BenchmarkPacketPath sends packets from a router through frontend and backend
// and back to the router, over loopback TCP, in turn with a bare loop that
// reads and writes the same I2CP frames. It reports both rates and their ratio,
// and the allocations per packet of the whole process. It does so with one backend
// without a name, with one that has a name, and with two of those.
func BenchmarkPacketPath(b *testing.B) {
	for backends, name := range []string{"plain", "one named", "two named"} {
		b.Run(name, func(b *testing.B) { benchPacketPath(b, backends) })
	}
}

func benchPacketPath(b *testing.B, backends int) {
	network := simnet.New(simnet.Config{Logger: slog.New(slog.DiscardHandler), Tunnels: simnet.TunnelTimes{First: time.Millisecond, Rest: time.Millisecond}})
	defer network.Close()
	ours := benchOnelease(b, network, backends)
	bare := benchBare(b, network)
	b.SetBytes(benchPacket)
	var ourTime, bareTime time.Duration
	var allocs uint64
	for b.Loop() {
		bareTime += bare.run(b, benchBatch)
		before := mallocs()
		ourTime += ours.run(b, benchBatch)
		allocs += mallocs() - before
	}
	packets := float64(b.N) * benchBatch
	b.ReportMetric(packets/ourTime.Seconds(), "packets/s")
	b.ReportMetric(packets/bareTime.Seconds(), "bare-packets/s")
	b.ReportMetric(bareTime.Seconds()/ourTime.Seconds(), "ratio")
	b.ReportMetric(float64(allocs)/packets, "allocs/packet")
}

// benchBatch is how many packets go through at a time.
const benchBatch = 100_000

func mallocs() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.Mallocs
}

// A pipe is a tapped router: what is injected comes back as what was sent.
type pipe struct {
	tap     *simnet.Tap
	back    chan struct{} // one for each packet that came back
	payload []byte
}

func newPipe(b *testing.B, router *simnet.Router, dest i2p.Hash) *pipe {
	b.Helper()
	p := &pipe{back: make(chan struct{}, 2*benchWindow)}
	p.payload = i2cp.AppendPayload(nil, 1, 1, i2cp.ProtocolRaw, make([]byte, benchPacket))
	tap, err := router.Tap(dest, func([]byte) { p.back <- struct{}{} })
	if err != nil {
		b.Fatal(err)
	}
	p.tap = tap
	return p
}

// run sends so many packets, a window at a time, and waits for all of them.
func (p *pipe) run(b *testing.B, packets int) time.Duration {
	began := time.Now()
	late := time.After(time.Minute)
	for sent, returned := 0, 0; returned < packets; {
		if sent < packets && sent-returned < benchWindow {
			if err := p.tap.Inject(p.payload); err != nil {
				b.Fatal(err)
			}
			sent++
			continue
		}
		select {
		case <-p.back:
			returned++
		case <-late:
			b.Fatalf("%d of %d packets came back", returned, packets)
		}
	}
	return time.Since(began)
}

// benchOnelease is a whole node on a router over TCP, whose service returns
// every raw packet to one remote; with so many backends that have names.
func benchOnelease(b *testing.B, network *simnet.Network, backends int) *pipe {
	b.Helper()
	keys := benchKeys(b)
	router := network.NewRouter(simnet.RouterConfig{Name: "router"})
	cfg := onelease.Config{
		Keys:    keys,
		Dir:     b.TempDir(),
		Routers: []onelease.Router{{Name: "router", Addr: benchServe(b, router), Member: true, Publisher: true}},
		Policy:  balancer.Policy{Tunnels: 1},
		Service: returnRaw(i2p.NewAddr(benchKeys(b).Destination, 1)),
		Logger:  slog.New(slog.DiscardHandler),
	}
	for i := range backends {
		cfg.Backends = append(cfg.Backends, onelease.Backend{Name: fmt.Sprint("b", i), Service: cfg.Service})
	}
	if backends > 0 {
		cfg.Service = nil
	}
	node, err := onelease.Start(cfg)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { node.Close() })
	benchWait(b, func() bool {
		takes := 0
		for _, named := range node.Frontend("router").Status().Named {
			takes += min(named.Weight, 1)
		}
		return takes == backends && node.Host().Stats().Frontends[0].State == backend.LinkUp
	})
	return newPipe(b, router, keys.Destination.Hash())
}

func returnRaw(to *i2p.Addr) backend.Service {
	return backend.ServiceFunc(func(ctx context.Context, node backend.Node) error {
		host := node.(*backend.Host)
		conn, err := node.ListenPacket(backend.Raw, 1)
		if err != nil {
			return err
		}
		defer conn.Close()
		defer context.AfterFunc(ctx, func() { conn.Close() })()
		buffer := make([]byte, 2*benchPacket)
		for {
			n, _, err := conn.ReadFrom(buffer)
			if err != nil {
				return nil
			}
			// A remote that is not to know us is greeted with no ping, which this one would not
			// answer.
			message := backend.Message{Kind: backend.Raw, Protocol: uint8(backend.Raw), FromPort: 1, ToPort: 1, Peer: to, Data: buffer[:n]}
			if err := host.SendMessage(message, backend.SendOptions{NoLeaseSet: true}); err != nil {
				return err
			}
		}
	})
}

func benchKeys(b *testing.B) *i2p.Keys {
	b.Helper()
	keys, err := i2p.GenerateKeys()
	if err != nil {
		b.Fatal(err)
	}
	return keys
}

// benchServe serves a router's I2CP on loopback TCP and returns its address.
func benchServe(b *testing.B, router *simnet.Router) string {
	b.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	go router.ServeI2CP(listener)
	b.Cleanup(func() { listener.Close() })
	return listener.Addr().String()
}

func benchWait(b *testing.B, ready func() bool) {
	b.Helper()
	for began := time.Now(); !ready(); time.Sleep(time.Millisecond) {
		if time.Since(began) > 30*time.Second {
			b.Fatal("not ready in 30 s")
		}
	}
}

// benchBare is the bare loop: a session made by hand, and then each
// MessagePayload goes back as a SendMessage.
func benchBare(b *testing.B, network *simnet.Network) *pipe {
	b.Helper()
	keys := benchKeys(b)
	patient := simnet.I2PD258
	patient.I2CP.AnswerWithin = time.Hour // the bare loop has no LeaseSet to answer with
	router := network.NewRouter(simnet.RouterConfig{Name: "bare", Profile: patient})
	conn, err := net.Dial("tcp", benchServe(b, router))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { conn.Close() })
	frames, session, err := bareSession(conn, keys)
	if err != nil {
		b.Fatal(err)
	}
	go bareLoop(conn, frames, session, benchKeys(b).Destination)
	return newPipe(b, router, keys.Destination.Hash())
}

// bareSession opens a session as the I2CP specification has it.
func bareSession(conn net.Conn, keys *i2p.Keys) (*i2cp.FrameReader, uint16, error) {
	config, err := i2cp.BuildSessionConfig(keys, keys.Destination, i2cp.SessionOptions(), time.Now())
	if err != nil {
		return nil, 0, err
	}
	hello, err := i2cp.GetDate{Version: i2cp.Version}.AppendFrame([]byte{i2cp.ProtocolByte})
	if err != nil {
		return nil, 0, err
	}
	create, err := i2cp.AppendCreateSession(hello, config)
	if err != nil {
		return nil, 0, err
	}
	if _, err := conn.Write(create); err != nil {
		return nil, 0, err
	}
	frames := i2cp.NewFrameReader(conn)
	for {
		kind, body, err := frames.Next()
		if err != nil {
			return nil, 0, fmt.Errorf("bare session: %w", err)
		}
		if kind == i2cp.TypeSessionStatus {
			status, err := i2cp.ParseSessionStatus(body)
			return frames, status.Session, err
		}
	}
}

// bareLoop is as little as can be between two frames; writes are gathered as
// everywhere here, or the bare loop would be the slower one.
func bareLoop(conn net.Conn, frames *i2cp.FrameReader, session uint16, to i2p.Destination) {
	w := coalesce.New(conn, 4<<20)
	defer w.Close()
	for {
		kind, body, err := frames.Next()
		if err != nil {
			return
		}
		if kind != i2cp.TypeMessagePayload {
			continue
		}
		m, err := i2cp.ParseMessagePayload(body)
		if err != nil {
			return
		}
		send := i2cp.SendMessage{Session: session, To: to, Payload: m.Payload}
		err = w.Append(func(b []byte) []byte {
			b, _ = send.AppendFrame(b)
			return b
		})
		if err != nil {
			return
		}
	}
}
