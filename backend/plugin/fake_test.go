package plugin

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	goplugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"

	"github.com/onelease/onelease/backend"
	"github.com/onelease/onelease/backend/pluginpb"
	"github.com/onelease/onelease/internal/pluginwire"
)

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
