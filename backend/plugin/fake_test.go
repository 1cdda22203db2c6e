package plugin

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	goplugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/onelease/onelease/backend"
	"github.com/onelease/onelease/backend/pluginpb"
	"github.com/onelease/onelease/internal/pluginwire"
)

// The test binary is its own plugin: by a link to it with the name of a kind in
// fakes, and what follows a dash is its version.
func TestMain(m *testing.M) {
	if os.Getenv(handshake.MagicCookieKey) == "" {
		os.Exit(m.Run())
	}
	kind, version, _ := strings.Cut(filepath.Base(os.Args[0]), "-")
	f := &fake{version: strings.TrimSuffix(version, ".plugin")}
	if kind == "served" {
		backend.Serve(backend.ServiceFunc(served), backend.ServeVersion(f.version))
	}
	if early := earlyFakes[kind]; early != nil {
		early()
		os.Exit(0)
	}
	f.run = fakes[kind]
	f.serve(handshake)
}

// served is work by backend.Serve, as far as streams go that are echoed, and raw datagrams.
func served(ctx context.Context, node backend.Node) error {
	ln, err := node.Listen(echoPort)
	if err != nil {
		return err
	}
	packets, err := node.ListenPacket(backend.Raw, echoPort)
	if err != nil {
		return err
	}
	defer context.AfterFunc(ctx, func() { ln.Close(); packets.Close() })()
	go func() {
		buffer := make([]byte, 1<<16)
		for {
			n, from, err := packets.ReadFrom(buffer)
			if err != nil {
				return
			}
			packets.WriteTo(buffer[:n], from)
		}
	}()
	var streams sync.WaitGroup
	defer streams.Wait()
	for {
		c, err := ln.Accept()
		if err != nil {
			return nil
		}
		streams.Go(func() { io.Copy(c, c); c.Close() })
	}
}

// earlyFakes misbehave before they are plugins.
var earlyFakes = map[string]func(){
	"garbage": func() { fmt.Println("Hello, World!\x1b[31m") },
	"quiet":   func() {},
	"hang":    func() { select {} },
	"binary":  func() { os.Stdout.Write(make([]byte, 1<<20)) },
	"tcp":     func() { fmt.Println("1|1|tcp|192.0.2.1:22|grpc|"); select {} },
	"netrpc":  func() { fmt.Println("1|1|unix|/tmp/none|netrpc|"); select {} },
	"nobody":  func() { fmt.Println("1|1|unix|/tmp/onelease-there-is-none|grpc|"); select {} },
	"dies":    func() { fmt.Fprintln(os.Stderr, "panic: cannot find my files"); os.Exit(3) },
	"future": func() {
		h := handshake
		h.ProtocolVersion = 7
		new(fake).serve(h)
	},
}

// fakes are what plugins do once they were told to start. What they return ends Run.
var fakes = map[string]func(*fake) error{
	"good":     (*fake).work,
	"unready":  func(f *fake) error { select {} },
	"settings": func(f *fake) error { return status.Error(codes.InvalidArgument, "line 3: no such key: colour") },
	"fails": func(f *fake) error {
		f.ready()
		return status.Error(codes.Internal, "the database is away")
	},
	"done": func(f *fake) error { f.ready(); return nil },
	"floods": func(f *fake) error {
		go func() {
			line := []byte(strings.Repeat("all work and no play ", 10) + "\n")
			for {
				syscall.Write(2, line)
			}
		}()
		return f.work()
	},
	"chatters": func(f *fake) error {
		fmt.Println("on standard output")
		fmt.Fprintln(os.Stderr, "on standard error")
		syscall.Write(2, []byte(`{"@level":"warn","@message":"in JSON","n":7}`+"\n"))
		syscall.Write(1, []byte("straight to standard output\n"+strings.Repeat("x", 100_000)+"\n"))
		return f.work()
	},
	"forks": func(f *fake) error {
		child := exec.Command("/bin/sleep", "1000")
		child.Stdout, child.Stderr = os.NewFile(1, ""), os.NewFile(2, "")
		if err := child.Start(); err != nil {
			return err
		}
		syscall.Write(2, fmt.Appendf(nil, "child %d\n", child.Process.Pid))
		return f.work()
	},
	"escapes": func(f *fake) error {
		child := exec.Command("/bin/sleep", "1000")
		child.Stdout, child.Stderr = os.NewFile(1, ""), os.NewFile(2, "")
		child.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		if err := child.Start(); err != nil {
			return err
		}
		syscall.Write(2, fmt.Appendf(nil, "child %d\n", child.Process.Pid))
		return f.work()
	},
	"stubborn": func(f *fake) error { f.stubborn = true; return f.work() },
	"refuses":  func(f *fake) error { f.handle = func(c *pluginwire.Conn) { c.Reset() }; return f.work() },
	"sleeps":   func(f *fake) error { f.ignore = true; return f.work() },
	"late":     func(f *fake) error { time.Sleep(300 * time.Millisecond); return f.work() },
	"portless": func(f *fake) error { f.portless = true; return f.work() },
	"deaf": func(f *fake) error {
		f.ready()
		f.open(1, 6, 7)
		select {}
	},
	"breaks": func(f *fake) error {
		f.ready()
		f.out.Send(&pluginpb.FromPlugin{})
		f.open(1, 4711, 1<<20)
		f.open(2, 6, 7)
		f.open(2, 6, 7)
		net.Dial("unix", f.start.DataSocket)
		if c, err := net.Dial("unix", f.start.DataSocket); err == nil {
			c.Write(make([]byte, 1000))
		}
		_, err := pluginwire.AcceptStream(context.Background(), f.start.DataSocket, f.token(), 99)
		fmt.Fprintf(os.Stderr, "no such stream: %v\n", err)
		return f.work()
	},
	"hungry": func(f *fake) error {
		for hoard := []byte{1}; ; {
			hoard = append(hoard, hoard...)
		}
	},
}

// A fake is a plugin that keeps to the protocol by itself.
type fake struct {
	pluginpb.UnimplementedPluginServer
	version                    string
	run                        func(*fake) error
	handle                     func(*pluginwire.Conn)
	stubborn, ignore, portless bool

	mu      sync.Mutex
	out     pluginpb.Plugin_RunServer
	start   *pluginpb.Start
	streams sync.WaitGroup
	looked  chan *pluginpb.LookedUp
}

func (f *fake) serve(h goplugin.HandshakeConfig) {
	goplugin.Serve(&goplugin.ServeConfig{
		HandshakeConfig: h,
		Plugins:         goplugin.PluginSet{"service": fakePlugin{fake: f}},
		GRPCServer:      goplugin.DefaultGRPCServer,
	})
}

type fakePlugin struct {
	goplugin.NetRPCUnsupportedPlugin
	fake *fake
}

func (p fakePlugin) GRPCServer(_ *goplugin.GRPCBroker, s *grpc.Server) error {
	pluginpb.RegisterPluginServer(s, p.fake)
	return nil
}

func (fakePlugin) GRPCClient(context.Context, *goplugin.GRPCBroker, *grpc.ClientConn) (any, error) {
	return nil, nil
}

func (f *fake) Describe(context.Context, *pluginpb.DescribeRequest) (*pluginpb.Description, error) {
	return &pluginpb.Description{Name: "fake", Version: f.version, Settings: "# none\n"}, nil
}

func (f *fake) Run(out pluginpb.Plugin_RunServer) error {
	first, err := out.Recv()
	if err != nil {
		return err
	}
	f.out, f.start, f.looked = out, first.GetStart(), make(chan *pluginpb.LookedUp, 1)
	return f.run(f)
}

func (f *fake) send(m *pluginpb.FromPlugin) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.out.Send(m)
}

func (f *fake) ready() { f.send(&pluginpb.FromPlugin{Message: &pluginpb.FromPlugin_Ready{}}) }

func (f *fake) open(id uint64, kind, port uint32) {
	f.send(&pluginpb.FromPlugin{Message: &pluginpb.FromPlugin_Open{Open: &pluginpb.Open{Id: id, Kind: kind, Port: port}}})
}

func (f *fake) closePort(id uint64) {
	f.send(&pluginpb.FromPlugin{Message: &pluginpb.FromPlugin_Close{Close: &pluginpb.Close{Id: id}}})
}

func (f *fake) token() pluginwire.Token { return pluginwire.Token(f.start.Token) }

// The ports of a fake.
const (
	echoPort    = 7 // streams, and raw datagrams
	proxyPort   = 8 // dials what the first line says
	versionPort = 9 // says its version
)

// work is what a good plugin does: ids of streams are their ports.
func (f *fake) work() error {
	f.ready()
	if !f.portless {
		for _, port := range []uint32{echoPort, proxyPort, versionPort} {
			f.open(uint64(port), 6, port)
		}
		f.open(100+echoPort, 18, echoPort)
	}
	for {
		m, err := f.out.Recv()
		if err != nil {
			return err
		}
		switch m := m.Message.(type) {
		case *pluginpb.ToPlugin_Opened:
			if m.Opened.Id == 100+echoPort && m.Opened.Error == "" {
				go f.echoPackets(m.Opened.Id)
			}
		case *pluginpb.ToPlugin_Incoming:
			if !f.ignore {
				f.streams.Go(func() { f.serveStream(m.Incoming) })
			}
		case *pluginpb.ToPlugin_LookedUp:
			f.looked <- m.LookedUp
		case *pluginpb.ToPlugin_Drain:
			if f.stubborn {
				select {}
			}
			for _, id := range []uint64{echoPort, proxyPort, versionPort, 100 + echoPort} {
				f.closePort(id)
			}
			f.streams.Wait()
			return nil
		}
	}
}

func (f *fake) serveStream(m *pluginpb.Incoming) {
	c, err := pluginwire.AcceptStream(context.Background(), f.start.DataSocket, f.token(), m.Stream)
	if err != nil {
		return
	}
	defer func() { c.Close(); <-c.Done() }()
	switch {
	case f.handle != nil:
		f.handle(c)
	case m.Listener == echoPort:
		io.Copy(c, c)
	case m.Listener == versionPort:
		fmt.Fprint(c, f.version)
	case m.Listener == proxyPort:
		f.proxy(c)
	}
}

// proxy dials what the first line of a stream says; "?name" is looked up.
func (f *fake) proxy(c *pluginwire.Conn) {
	in := bufio.NewReader(c)
	line, _ := in.ReadString('\n')
	line = strings.TrimSpace(line)
	if name, ok := strings.CutPrefix(line, "?"); ok {
		f.send(&pluginpb.FromPlugin{Message: &pluginpb.FromPlugin_Lookup{Lookup: &pluginpb.Lookup{Id: 1, Name: name}}})
		found := <-f.looked
		fmt.Fprintf(c, "%d %s", len(found.Destination), found.Code)
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	to, err := pluginwire.DialStream(ctx, f.start.DataSocket, f.token(), line)
	if err != nil {
		fmt.Fprintf(c, "error: %v", err)
		return
	}
	go func() { io.Copy(to, in); to.CloseWrite() }()
	io.Copy(c, to)
	to.Close()
}

func (f *fake) echoPackets(id uint64) {
	conn, err := pluginwire.OpenPackets(context.Background(), f.start.DataSocket, f.token(), id, nil)
	if err != nil {
		return
	}
	buffer := make([]byte, 1<<16)
	for {
		n, from, err := conn.ReadFrom(buffer)
		if err != nil {
			return
		}
		conn.WriteTo(buffer[:n], from)
	}
}
