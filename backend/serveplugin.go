package backend

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"time"

	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"

	"github.com/onelease/onelease/backend/pluginpb"
	"github.com/onelease/onelease/internal/hlog"
	"github.com/onelease/onelease/internal/pluginwire"
)

// runPlugin serves the protocol until the service or the host has ended, and returns
// the exit code.
func (s *pluginProgram) runPlugin() int {
	level := new(slog.LevelVar)
	log := newPluginLog(os.Stderr, level) // this one: go-plugin is about to replace it
	example, err := s.settingsExample()
	if err != nil {
		log.Error("the plugin has a bug", "error", err)
		return 1
	}
	p := &pluginServer{pluginProgram: s, example: example, log: log, level: level, ended: make(chan struct{})}
	go p.watchParent(os.Getppid())
	var server *grpc.Server
	plugin.Serve(&plugin.ServeConfig{
		HandshakeConfig: plugin.HandshakeConfig{
			ProtocolVersion: pluginwire.ProtocolVersion, MagicCookieKey: pluginwire.CookieKey, MagicCookieValue: pluginwire.Cookie,
		},
		Plugins: plugin.PluginSet{"service": grpcPlugin{server: p}},
		GRPCServer: func(options []grpc.ServerOption) *grpc.Server {
			server = grpc.NewServer(options...)
			go p.stopAfter(server)
			return server
		},
		Logger: hlog.New(log),
	})
	return p.exitCode(server != nil)
}

// exitCode waits for the service if it runs.
func (p *pluginServer) exitCode(listened bool) int {
	if !p.began.Load() {
		if listened {
			return 0 // it was only to describe itself
		}
		return 1 // why was logged
	}
	<-p.ended
	if p.err != nil {
		return 1
	}
	return 0
}

// tellPatience is how long the host has to take how Run ended.
const tellPatience = time.Second

// stopAfter stops the server after Run.
func (p *pluginServer) stopAfter(server *grpc.Server) {
	<-p.ended
	// GracefulStop waits for all calls, and go-plugin has one that does not end.
	defer time.AfterFunc(tellPatience, server.Stop).Stop()
	server.GracefulStop()
}

// watchParent ends the program if the one that started it ends before it calls Run; later
// the end of that call tells.
func (p *pluginServer) watchParent(parent int) {
	for os.Getppid() == parent {
		time.Sleep(time.Second)
	}
	if !p.began.Load() {
		p.log.Error("the plugin ends", "error", errNoHost)
		os.Exit(1)
	}
}

// grpcPlugin is a pluginServer as go-plugin wants it.
type grpcPlugin struct {
	plugin.NetRPCUnsupportedPlugin
	server *pluginServer
}

// GRPCServer implements plugin.GRPCPlugin.
func (g grpcPlugin) GRPCServer(_ *plugin.GRPCBroker, s *grpc.Server) error {
	pluginpb.RegisterPluginServer(s, g.server)
	return nil
}

// GRPCClient implements plugin.GRPCPlugin.
func (grpcPlugin) GRPCClient(context.Context, *plugin.GRPCBroker, *grpc.ClientConn) (any, error) {
	return nil, errors.New("this is the plugin's side")
}

var _ plugin.GRPCPlugin = grpcPlugin{}
