package backend

import (
	"context"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"github.com/onelease/onelease/backend/pluginpb"
	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/internal/logtest"
	"github.com/onelease/onelease/internal/pluginwire"
	"google.golang.org/grpc"
)

// testService is the variable that names the service of the test binary when that is
// started as a plugin.
const testService = "ONELEASE_TEST_SERVICE"

func TestMain(m *testing.M) {
	if service := testServices[os.Getenv(testService)]; service != nil {
		Serve(service(), ServeName("probe"), ServeVersion("1.2"))
	}
	os.Exit(m.Run())
}

// A fakeHost is the least that a plugin can take for Onelease: it starts this test's
// binary, and the test is the network.
type fakeHost struct {
	t      *testing.T
	cmd    *exec.Cmd
	client *plugin.Client
	calls  pluginpb.PluginClient
	dest   i2p.Destination
	token  pluginwire.Token
	ln     net.Listener
	log    *logtest.Buffer

	run     pluginpb.Plugin_RunClient
	cancel  context.CancelFunc // ends run
	runErr  chan error
	opened  chan *pluginpb.Open
	closed  chan uint64
	dials   chan *hostDial
	packets chan *pluginwire.PacketConn
	// answers are what Open and Lookup get; those of nil are good.
	openError, lookupError error

	mu      sync.Mutex
	last    uint64
	waiting map[uint64]chan *pluginwire.Conn
}

// clientOnly is the plugin as go-plugin's client wants it.
type clientOnly struct{ plugin.NetRPCUnsupportedPlugin }

func (clientOnly) GRPCServer(*plugin.GRPCBroker, *grpc.Server) error { return nil }
func (clientOnly) GRPCClient(_ context.Context, _ *plugin.GRPCBroker, c *grpc.ClientConn) (any, error) {
	return pluginpb.NewPluginClient(c), nil
}

// startPlugin starts a test service, up to Describe.
func startPlugin(t *testing.T, service string) *fakeHost {
	t.Helper()
	dir := t.TempDir()
	h := &fakeHost{
		t: t, cmd: exec.Command(os.Args[0]), dest: newKeys(t).Destination, token: pluginwire.Token{1, 2, 3}, log: &logtest.Buffer{},
		runErr: make(chan error, 1), opened: make(chan *pluginpb.Open, 10), closed: make(chan uint64, 10),
		dials: make(chan *hostDial, 10), packets: make(chan *pluginwire.PacketConn, 10), waiting: make(map[uint64]chan *pluginwire.Conn),
	}
	h.cmd.Env = append(os.Environ(), testService+"="+service)
	h.client = plugin.NewClient(&plugin.ClientConfig{
		HandshakeConfig: plugin.HandshakeConfig{
			ProtocolVersion: pluginwire.ProtocolVersion, MagicCookieKey: pluginwire.CookieKey, MagicCookieValue: pluginwire.Cookie,
		},
		Plugins: plugin.PluginSet{"service": clientOnly{}}, Cmd: h.cmd, AutoMTLS: true, SkipHostEnv: true,
		AllowedProtocols: []plugin.Protocol{plugin.ProtocolGRPC},
		UnixSocketConfig: &plugin.UnixSocketConfig{TempDir: dir},
		Logger:           hclog.NewNullLogger(), Stderr: h.log, SyncStdout: h.log, SyncStderr: h.log,
	})
	t.Cleanup(h.client.Kill)
	protocol, err := h.client.Client()
	if err != nil {
		t.Fatalf("%v; log: %s", err, h.log)
	}
	calls, err := protocol.Dispense("service")
	if err != nil {
		t.Fatal(err)
	}
	h.calls = calls.(pluginpb.PluginClient)
	if h.ln, err = net.Listen("unix", filepath.Join(dir, "data")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.ln.Close() })
	go h.serveData()
	return h
}

// begin calls Run and returns its error if the plugin does not become ready.
func (h *fakeHost) begin(settings string) error {
	ctx, cancel := context.WithCancel(context.Background())
	h.t.Cleanup(cancel)
	h.cancel = cancel
	var err error
	if h.run, err = h.calls.Run(ctx); err != nil {
		return err
	}
	h.tell(&pluginpb.ToPlugin{Message: &pluginpb.ToPlugin_Start{Start: &pluginpb.Start{
		Destination: h.dest.Bytes(), DataSocket: h.ln.Addr().String(), Token: h.token[:], Settings: settings, Name: "test",
	}}})
	first, err := h.run.Recv()
	if err != nil {
		return err
	}
	if first.GetReady() == nil {
		h.t.Errorf("first message %v", first)
	}
	go func() { h.runErr <- h.hear() }()
	return nil
}

func (h *fakeHost) tell(m *pluginpb.ToPlugin) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.run.Send(m); err != nil && err != io.EOF { // EOF: Recv says why
		h.t.Error(err)
	}
}

func (h *fakeHost) hear() error {
	for {
		m, err := h.run.Recv()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		switch m := m.Message.(type) {
		case *pluginpb.FromPlugin_Open:
			h.answerOpen(m.Open)
		case *pluginpb.FromPlugin_Close:
			h.closed <- m.Close.Id
		case *pluginpb.FromPlugin_Lookup:
			h.answerLookup(m.Lookup)
		}
	}
}

func (h *fakeHost) answerOpen(m *pluginpb.Open) {
	a := &pluginpb.Opened{Id: m.Id}
	if e := pluginwire.Of(h.openError); e != nil {
		a.Error, a.Code = e.Text, pluginpb.ErrorCode(e.Code)
	}
	h.tell(&pluginpb.ToPlugin{Message: &pluginpb.ToPlugin_Opened{Opened: a}})
	if a.Error == "" {
		h.opened <- m
	}
}

func (h *fakeHost) answerLookup(m *pluginpb.Lookup) {
	a := &pluginpb.LookedUp{Id: m.Id, Destination: h.dest.Bytes()}
	if e := pluginwire.Of(h.lookupError); e != nil {
		a.Error, a.Code, a.Destination = e.Text, pluginpb.ErrorCode(e.Code), nil
	}
	h.tell(&pluginpb.ToPlugin{Message: &pluginpb.ToPlugin_LookedUp{LookedUp: a}})
}

func (h *fakeHost) drain(limit time.Duration) {
	h.tell(&pluginpb.ToPlugin{Message: &pluginpb.ToPlugin_Drain{Drain: &pluginpb.Drain{LimitMs: limit.Milliseconds()}}})
}

// exit waits for the process and returns its exit code.
func (h *fakeHost) exit() int {
	h.t.Helper()
	for by := time.Now().Add(patience); !h.client.Exited(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(by) {
			h.t.Fatalf("the process did not exit; log: %s", h.log)
		}
	}
	return h.cmd.ProcessState.ExitCode()
}

// patience is how long a test waits for what should come at once.
const patience = 20 * time.Second

func within[T any](t *testing.T, what string, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(patience):
		t.Fatalf("waited in vain until %s", what)
		panic("unreachable")
	}
}
