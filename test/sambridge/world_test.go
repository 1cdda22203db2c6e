package sambridge

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/onelease/onelease/balancer"
	"github.com/onelease/onelease/i2p/simnet"
	"github.com/onelease/onelease/test/embedded"
	"github.com/onelease/onelease/test/i2pd/samclient"
	"github.com/onelease/onelease/test/streamservice"
)

// policy is that of all Destinations: short tunnels.
func policy() balancer.Policy { return balancer.Policy{Tunnels: 3, Hops: 1} }

// soaking is whether the long forms run.
func soaking() bool { return os.Getenv("ONELEASE_SOAK") == "1" }

// A world is an embedded network in this process, and a bridge in another.
type world struct {
	t       *testing.T
	network *embedded.Network
	addrs   processAddrs

	mu  sync.Mutex // guards what follows: one question at a time
	in  io.Writer
	out *bufio.Reader
}

// startWorld starts both, until the test ends.
func startWorld(t *testing.T, cfg processConfig) *world {
	t.Helper()
	// 2.58 takes in a new session for a Destination every 200 ms at most; 2.45 has no such
	// limit, and hundreds can begin at once.
	w := &world{t: t, network: embedded.Start(embedded.Config{Profile: simnet.I2PD245})}
	t.Cleanup(func() { w.network.Close() })
	cfg.Routers = w.serveRouters()
	text, err := json.Marshal(cfg)
	if err != nil {
		t.Fatal(err)
	}
	w.startProcess(string(text))
	return w
}

// serveRouters has the routers listen on the loopback.
func (w *world) serveRouters() (routers []processRouter) {
	for _, r := range w.network.Routers() {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			w.t.Fatal(err)
		}
		w.t.Cleanup(func() { ln.Close() })
		go w.network.Router(r.Name).ServeI2CP(ln)
		routers = append(routers, processRouter{
			Name: r.Name, Addr: ln.Addr().String(), Member: r.Member, Publisher: r.Publisher, DontPublish: r.DontPublish,
		})
	}
	return routers
}

// startProcess runs this binary as a bridge.
func (w *world) startProcess(config string) {
	w.t.Helper()
	self, err := os.Executable()
	if err != nil {
		w.t.Fatal(err)
	}
	child := exec.Command(self)
	child.Env = append(os.Environ(), envBridge+"="+config)
	child.Stderr = w.t.Output()
	in, err := child.StdinPipe()
	if err != nil {
		w.t.Fatal(err)
	}
	out, err := child.StdoutPipe()
	if err != nil {
		w.t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() {
		in.Close()
		if err := child.Wait(); err != nil {
			w.t.Errorf("the bridge's process: %v", err)
		}
	})
	w.in, w.out = in, bufio.NewReader(out)
	w.read(&w.addrs)
}

func (w *world) read(into any) {
	w.t.Helper()
	line, err := w.out.ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, into)
	}
	if err != nil {
		w.t.Fatalf("ask the bridge's process: %v", err)
	}
}

// memory measures the bridge's process.
func (w *world) memory() (m memory) {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, err := io.WriteString(w.in, "\n"); err != nil {
		w.t.Fatalf("ask the bridge's process: %v", err)
	}
	w.read(&m)
	return m
}

// settled measures until what is left is little enough, or the time is over.
func (w *world) settled(limit time.Duration, little func(memory) bool) memory {
	w.t.Helper()
	for began := time.Now(); ; time.Sleep(200 * time.Millisecond) {
		m := w.memory()
		if little(m) || time.Since(began) > limit {
			return m
		}
	}
}

// addPeer adds somebody else on the network, who runs the stream service, and returns the
// Destination.
func (w *world) addPeer() (dest string) {
	w.t.Helper()
	remote := w.network.Remote()
	ln, err := remote.Stack().Listen(0)
	if err != nil {
		w.t.Fatal(err)
	}
	go streamservice.NewServer().Serve(ln)
	return remote.Destination().Base64()
}

// open opens a session for streams at the bridge. The caller closes it.
func (w *world) open(ctx context.Context) (*samclient.Streams, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	return samclient.OpenStreams(ctx, w.addrs.SAM, samclient.Options{Params: []string{"inbound.quantity=1", "outbound.quantity=1"}})
}
