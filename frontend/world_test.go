package frontend

import (
	"context"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/onelease/onelease/balancer/controlpb"
	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/sam"
	"github.com/onelease/onelease/i2p/simnet"
	"github.com/onelease/onelease/internal/logtest"
	"github.com/onelease/onelease/internal/memconn"
)

// A world is a network with one router, a balancer at "b1" that leads, and a
// frontend between them, all in one synctest bubble.
type world struct {
	t        *testing.T
	network  *simnet.Network
	router   *simnet.Router
	keys     *i2p.Keys
	control  *balancers
	leader   *fakeBalancer
	frontend *Frontend
	log      *logBuffer
	stop     func() // ends Run and checks what it returns
}

// inWorld runs test in a bubble with a world whose frontend runs. change may
// alter the Config. When test ends all is stopped, and the bubble fails the
// test if a goroutine is left.
func inWorld(t *testing.T, profile simnet.Profile, change func(*Config), test func(w *world)) {
	t.Helper()
	inPreparedWorld(t, profile, func(_ *world, cfg *Config) {
		if change != nil {
			change(cfg)
		}
	}, test)
}

// inPreparedWorld is inWorld with a change to more than the Config.
func inPreparedWorld(t *testing.T, profile simnet.Profile, prepare func(*world, *Config), test func(w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, profile)
		cfg := w.config()
		prepare(w, &cfg)
		w.run(cfg)
		defer w.network.Close()
		defer w.leader.stop()
		defer w.stop()
		test(w)
	})
}

func newWorld(t *testing.T, profile simnet.Profile) *world {
	keys, err := i2p.GenerateKeys()
	if err != nil {
		t.Fatal(err)
	}
	network := simnet.New(simnet.Config{Seed: 1, Logger: slog.New(slog.DiscardHandler)})
	w := &world{t: t, network: network, keys: keys, log: &logBuffer{}}
	w.router = network.NewRouter(simnet.RouterConfig{Name: "r1", Profile: profile})
	w.leader = startBalancer(t, keys)
	w.control = &balancers{byAddr: map[string]*fakeBalancer{"b1": w.leader}}
	return w
}

func (w *world) config() Config {
	return Config{
		Name:    "f1",
		Router:  RouterConfig{Dial: w.router.DialI2CP},
		Control: ControlConfig{Balancers: []string{"b1"}, Dial: w.control.Dial},
		Logger:  slog.New(slog.NewTextHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
}

func (w *world) run(cfg Config) {
	w.t.Helper()
	f, err := New(cfg)
	if err != nil {
		w.t.Fatal(err)
	}
	w.frontend = f
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- f.Run(ctx) }()
	w.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			w.t.Errorf("Run: %v", err)
		}
	})
}

// until waits in virtual time until ok, for a minute at most.
func (w *world) until(what string, ok func() bool) {
	w.t.Helper()
	w.within(time.Minute, what, ok)
}

func (w *world) within(limit time.Duration, what string, ok func() bool) {
	w.t.Helper()
	for end := time.Now().Add(limit); ; {
		synctest.Wait()
		if ok() {
			return
		}
		if time.Now().After(end) {
			w.t.Fatalf("not within %v: %s\nstatus %+v\nlog:\n%s", limit, what, w.frontend.Status(), w.log)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func (w *world) untilServing() {
	w.t.Helper()
	w.until("the frontend serves", func() bool { return w.frontend.Status().Serving })
}

func (w *world) tryAttach() (*sam.PacketClient, error) {
	return sam.Dial(context.Background(), sam.ClientConfig{Dial: w.frontend.DialSAM})
}

// attach attaches a backend, whose packets go to received.
func (w *world) attach(id string, received func(sam.Packet), status func(uint32, error)) *sam.PacketClient {
	w.t.Helper()
	client, err := sam.Dial(context.Background(), sam.ClientConfig{
		Dial: w.frontend.DialSAM, ID: id, OnPacket: received, OnStatus: status, SendStatus: true,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return client
}

// logBuffer is a log that can be read, and waited for, meanwhile.
type logBuffer struct {
	logtest.Buffer
	mu    sync.Mutex
	wrote chan struct{} // closed by the next Write, if somebody waits
}

func (l *logBuffer) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.wrote != nil {
		close(l.wrote)
		l.wrote = nil
	}
	return l.Buffer.Write(b)
}

// count is how often text is in the log.
func (l *logBuffer) count(text string) int { return strings.Count(l.String(), text) }

// await waits until text is there n times. It is for tests in real time.
func (l *logBuffer) await(t *testing.T, text string, n int) {
	t.Helper()
	limit := time.After(20 * time.Second)
	for {
		l.mu.Lock()
		if strings.Count(l.String(), text) >= n {
			l.mu.Unlock()
			return
		}
		if l.wrote == nil {
			l.wrote = make(chan struct{})
		}
		wrote := l.wrote
		l.mu.Unlock()
		select {
		case <-wrote:
		case <-limit:
			t.Fatalf("%q is not %d times in the log:\n%s", text, n, l)
		}
	}
}

// dialer is a listener in memory.
type dialer interface {
	Dial(ctx context.Context) (net.Conn, error)
}

// inListener is inWorld with a SAM listener.
func inListener(t *testing.T, change func(*Config), test func(ln dialer)) {
	t.Helper()
	var ln *memconn.Listener
	inPreparedWorld(t, simnet.I2PD258, func(_ *world, cfg *Config) {
		ln = memconn.Listen("SAM")
		cfg.SAM = []net.Listener{ln}
		change(cfg)
	}, func(*world) { test(ln) })
}

// otherLeases are of routers that no test has.
func otherLeases() []*controlpb.Lease {
	var leases []*controlpb.Lease
	for i := range byte(12) {
		gateway := i2p.Hash{1, i}
		leases = append(leases, &controlpb.Lease{Gateway: gateway[:], TunnelId: uint32(i), EndMs: time.Now().Add(2 * time.Minute).UnixMilli()})
	}
	return leases
}
