package test

import (
	"context"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/onelease/onelease"
	"github.com/onelease/onelease/backend"
	"github.com/onelease/onelease/backend/backendtest"
	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/sam"
	"github.com/onelease/onelease/i2p/streaming"
	"github.com/onelease/onelease/test/i2pd"
	"github.com/onelease/onelease/test/streamservice"
)

// offlineSize is what is transferred each way, in bytes.
const offlineSize = 1 << 20

// TestOfflineSignedStreams has streams between stock i2pd and a Destination of
// ours whose service signs with a transient key, while its LeaseSets are signed
// by its own. The transient key is renewed before each part and within one.
func TestOfflineSignedStreams(t *testing.T) {
	i2pd.Require(t)
	t.Parallel() // with what is as patient
	x := startOffline(t)
	t.Run("from i2pd", x.checkAccept)
	t.Run("to i2pd", x.checkDial)
	t.Run("renewed meanwhile", x.checkRenewed)
	t.Run("outlives its permission", x.checkOutlived)
	t.Run("reset", x.checkReset)
	t.Run("ping", x.checkPing)
	s := x.ours.node.Host().Stats()
	t.Logf("signs until %v; unsigned %d; streams %+v", s.SignsUntil, s.Unsigned, s.Streams)
	if s.Unsigned != 0 {
		t.Errorf("%d were not signed", s.Unsigned)
	}
}

// An offline is an interop whose Destination signs with transient keys.
type offline struct {
	interop
	credentials *backendtest.Credentials
}

func startOffline(t *testing.T) *offline {
	t.Helper()
	x := &offline{interop: interop{
		routers: i2pd.Start(t, i2pd.Config{Routers: 13, Floodfills: floodfills}),
		conns:   make(chan net.Conn), stockConns: make(chan net.Conn),
	}}
	x.startOurs(t)
	x.stock = openStreams(t, x.routers.Router(remoteRouters[0]), i2pd.StreamOptions{})
	ln, err := x.stock.Listen(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var accepting sync.WaitGroup
	accepting.Go(func() { acceptInto(t.Context(), ln, x.stockConns) })
	t.Cleanup(func() {
		ln.Close()
		accepting.Wait()
	})
	x.awaitFirst(t)
	return x
}

// startOurs starts the Destination on one member and a publisher.
func (x *offline) startOurs(t *testing.T) {
	t.Helper()
	keys := newKeys(t)
	x.credentials = backendtest.NewCredentials(t, keys)
	x.credentials.Permit(24 * time.Hour)
	node, err := onelease.Start(onelease.Config{
		Keys: keys, Dir: t.TempDir(), Routers: withPublisher(x.routers, members[:1]), Policy: testPolicy(),
		Credentials: x.credentials, Service: backend.ServiceFunc(x.handOut), Logger: quiet(t),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := node.Close(); err != nil {
			t.Error(err)
		}
	})
	x.ours = &streamHost{name: "ours", dest: keys.Destination.Base64(), server: streamservice.NewServer(), node: node}
}

// handOut serves streams through x.conns.
func (x *offline) handOut(ctx context.Context, node backend.Node) error {
	ln, err := node.Listen(0)
	if err != nil {
		return err
	}
	defer context.AfterFunc(ctx, func() { ln.Close() })()
	acceptInto(ctx, ln, x.conns)
	return nil
}

func (x *offline) checkAccept(t *testing.T) {
	x.credentials.Permit(24 * time.Hour)
	x.checkTransfers(t, x.dialOurs(t), x.conns)
}

func (x *offline) checkDial(t *testing.T) {
	x.credentials.Permit(24 * time.Hour)
	x.checkTransfers(t, x.dialStock(t), x.stockConns)
}

// checkTransfers moves bytes down and up the same stream, and ends it from the
// side that began it.
func (x *offline) checkTransfers(t *testing.T, conn net.Conn, accepted <-chan net.Conn) {
	server := streamservice.NewServer()
	served := make(chan time.Time, 1)
	far := takeEnd(t, accepted)
	go func() {
		server.ServeConn(far)
		served <- time.Now()
	}()
	var down streamservice.Meter
	if err := streamservice.Get(conn, streamservice.Transfer{Size: offlineSize, Seed: 1}, &down); err != nil {
		t.Fatalf("download: %v; %v", err, down.Report())
	}
	if err := streamservice.Put(conn, streamservice.Transfer{Size: offlineSize, Seed: 2}); err != nil {
		t.Fatalf("upload: %v; %v", err, server.Put(2).Report())
	}
	closed := time.Now()
	conn.Close()
	select {
	case at := <-served:
		t.Logf("download: %v; upload: %v; the other end saw the close after %.2f s", down.Report(), server.Put(2).Report(), at.Sub(closed).Seconds())
	case <-time.After(30 * time.Second):
		t.Error("the other end has seen no close for 30 s")
	}
}

// checkRenewed has the transient key renewed while a stream is open, and ends
// that from both sides.
func (x *offline) checkRenewed(t *testing.T) {
	x.checkEndings(t, func() { x.credentials.Permit(24 * time.Hour) })
}

// checkOutlived does so when the permission of the stream's key is over.
func (x *offline) checkOutlived(t *testing.T) {
	const life = 64 * time.Second // of which the last minute does not count
	x.credentials.Permit(life)
	x.checkEndings(t, func() {
		time.Sleep(5 * time.Second)
		x.credentials.Permit(24 * time.Hour)
	})
}

// checkEndings has streams of both sides, which are closed by ours after change.
func (x *offline) checkEndings(t *testing.T, change func()) {
	before := x.open()
	theirs := x.dialOurs(t)
	ourEnd := takeEnd(t, x.conns)
	ours := x.dialStock(t)
	theirEnd := takeEnd(t, x.stockConns)
	for _, pair := range [][2]net.Conn{{theirs, ourEnd}, {ours, theirEnd}} {
		sayHello(t, pair[0], pair[1])
	}
	change()
	for name, pair := range map[string][2]net.Conn{"accepted": {ourEnd, theirs}, "dialled": {ours, theirEnd}} {
		sayHello(t, pair[0], pair[1])
		began := time.Now()
		pair[0].Close()
		awaitEnd(t, pair[1], "the stock end of a stream that ours "+name)
		t.Logf("%s: the stock end saw the close after %.2f s", name, time.Since(began).Seconds())
	}
	// A stream of a part before may be left: one that i2pd closed first, and knows no more.
	await(t, 10*time.Second, "acks of both closes", func() bool { return x.open() <= before })
}

// open is how many streams ours has.
func (x *offline) open() int { return x.ours.node.Host().Stats().Streams.Open }

// takeEnd is the other end of a stream that was just begun.
func takeEnd(t *testing.T, conns <-chan net.Conn) net.Conn {
	t.Helper()
	select {
	case conn := <-conns:
		t.Cleanup(func() { conn.Close() })
		return conn
	case <-time.After(time.Minute):
		t.Fatal("the stream has not come in a minute")
		return nil
	}
}

// sayHello sends a word from one end to the other.
func sayHello(t *testing.T, from, to net.Conn) {
	t.Helper()
	_ = to.SetReadDeadline(time.Now().Add(30 * time.Second))
	if _, err := from.Write([]byte("hello")); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 5)
	if _, err := io.ReadFull(to, b); err != nil || string(b) != "hello" {
		t.Fatalf("%q, %v", b, err)
	}
}

// awaitEnd fails the test unless conn ends within half a minute.
func awaitEnd(t *testing.T, conn net.Conn, what string) {
	t.Helper()
	_ = conn.SetReadDeadline(time.Now().Add(30 * time.Second))
	n, err := conn.Read(make([]byte, 1))
	if timeout, ok := err.(net.Error); n > 0 || err == nil || ok && timeout.Timeout() {
		t.Errorf("%s: read %d bytes, %v; want its end", what, n, err)
	}
	conn.Close()
}

// checkPing has ours ask the stock router for a pong, as a hello does.
func (x *offline) checkPing(t *testing.T) {
	to, err := i2p.ParseDestinationBase64(x.stock.Destination())
	if err != nil {
		t.Fatal(err)
	}
	pongs := make(chan uint32, 16)
	client := x.attach(t, func(p sam.Packet) {
		if id, _, ok := streaming.ParsePong(p.Data); ok && p.Protocol == backend.ProtocolStreaming {
			pongs <- id
		}
	})
	const id = 0x0ff11e00
	ping, err := streaming.AppendPing(nil, x.credentials.Permit(24*time.Hour), id, []byte("are you there?"))
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if err := client.Send(sam.Packet{Peer: to, Protocol: backend.ProtocolStreaming, Data: ping}); err != nil {
		t.Fatal(err)
	}
	select {
	case got := <-pongs:
		t.Logf("pong after %.3f s", time.Since(began).Seconds())
		if got != id {
			t.Errorf("pong %#x, want %#x", got, id)
		}
	case <-time.After(30 * time.Second):
		t.Error("no pong in 30 s")
	}
}

// attach is one more backend of the Destination, which sees all its packets.
func (x *offline) attach(t *testing.T, received func(sam.Packet)) *sam.PacketClient {
	t.Helper()
	client, err := sam.Dial(t.Context(), sam.ClientConfig{
		Dial:     x.ours.node.Frontend(routerName(members[0])).DialSAM,
		OnPacket: received,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	return client
}
