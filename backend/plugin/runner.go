package plugin

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"
	"github.com/hashicorp/go-plugin/runner"
	"google.golang.org/grpc"

	"github.com/onelease/onelease/backend/plugin/catalog"
	"github.com/onelease/onelease/internal/hlog"
	"github.com/onelease/onelease/internal/pluginwire"
)

// maxControl bounds a message of the control stream, in bytes.
const maxControl = 4 << 20

// handshake is what docs/plugin-protocol.md says under "Start".
var handshake = goplugin.HandshakeConfig{
	ProtocolVersion:  pluginwire.ProtocolVersion,
	MagicCookieKey:   pluginwire.CookieKey,
	MagicCookieValue: pluginwire.Cookie,
}

// newClient is go-plugin's part in an instance: the certificates, the first line, and the
// gRPC connection. Processes are ours (see runner).
func (i *instance) newClient() *goplugin.Client {
	return goplugin.NewClient(&goplugin.ClientConfig{
		HandshakeConfig:  handshake,
		Plugins:          goplugin.PluginSet{"service": connOnly{}},
		AllowedProtocols: []goplugin.Protocol{goplugin.ProtocolGRPC},
		AutoMTLS:         !i.spec.noTLS,
		SkipHostEnv:      true,
		StartTimeout:     i.s.cfg.StartLimit + time.Second, // ours comes first
		UnixSocketConfig: &goplugin.UnixSocketConfig{TempDir: i.dir},
		SyncStdout:       &lineWriter{logs: i.logs},
		SyncStderr:       &lineWriter{logs: i.logs},
		Logger:           hlog.New(slog.New(debugOnly{i.log.Handler()})),
		GRPCDialOptions: []grpc.DialOption{grpc.WithDefaultCallOptions(
			grpc.MaxCallRecvMsgSize(maxControl), grpc.MaxCallSendMsgSize(maxControl))},
		RunnerFunc: func(_ hclog.Logger, cmd *exec.Cmd, _ string) (runner.Runner, error) {
			if err := i.spec.check(); err != nil {
				return nil, err
			}
			cmd.Path, cmd.Args, cmd.Dir = i.spec.path, []string{i.spec.path}, "/"
			if l := i.spec.limits.MemoryMiB; l > 0 {
				cmd.Env = append(cmd.Env, fmt.Sprintf("GOMEMLIMIT=%dMiB", l-l/8))
			}
			return &processRunner{instance: i, cmd: cmd}, nil
		},
	})
}

// check makes sure that the program is safe to run and the one that was looked at.
func (s *spec) check() error {
	if err := catalog.CheckProgram(s.path); err != nil {
		return err
	}
	sum, err := hex.DecodeString(s.sum)
	if err != nil {
		return err
	}
	secure := goplugin.SecureConfig{Checksum: sum, Hash: sha256.New()}
	ok, err := secure.Check(s.path)
	if err == nil && !ok {
		err = fmt.Errorf("%s is no longer the program with SHA-256 %s: put that back, or reload: %w", s.path, s.sum, ErrChecksum)
	}
	return err
}

// connOnly has go-plugin hand out its connection.
type connOnly struct {
	goplugin.NetRPCUnsupportedPlugin
}

func (connOnly) GRPCServer(*goplugin.GRPCBroker, *grpc.Server) error { return nil }

func (connOnly) GRPCClient(_ context.Context, _ *goplugin.GRPCBroker, conn *grpc.ClientConn) (any, error) {
	return conn, nil
}

// A processRunner has go-plugin use a process of ours, whose output it sees only the
// first line of.
type processRunner struct {
	instance *instance
	cmd      *exec.Cmd
	process  *process
}

func (r *processRunner) Start(context.Context) (err error) {
	r.process, err = startProcess(r.cmd, r.instance.spec.limits, r.instance.logs)
	if err == nil {
		r.instance.started(r.process)
	}
	return err
}

func (r *processRunner) Wait(context.Context) error {
	<-r.process.exited
	return r.process.err
}

func (r *processRunner) Kill(context.Context) error {
	r.process.kill()
	return nil
}

// ID is empty if there is nothing to kill.
func (r *processRunner) ID() string {
	if r.process == nil {
		return ""
	}
	return strconv.Itoa(r.process.pid())
}

func (r *processRunner) Name() string                    { return r.cmd.Path }
func (r *processRunner) Stdout() io.ReadCloser           { return &r.process.hello }
func (r *processRunner) Stderr() io.ReadCloser           { return io.NopCloser(strings.NewReader("")) }
func (r *processRunner) Diagnose(context.Context) string { return "" }

// PluginToHost takes no address but a unix socket: what a plugin says must not have the
// host connect to somewhere else.
func (r *processRunner) PluginToHost(network, address string) (string, string, error) {
	if network != "unix" {
		return "", "", fmt.Errorf("its address is %.20q %.100q, want a unix socket: %w", network, address, errViolation)
	}
	return network, address, nil
}

func (r *processRunner) HostToPlugin(network, address string) (string, string, error) {
	return network, address, nil
}

// debugOnly passes all on as debug: what go-plugin warns about we say in our own words.
type debugOnly struct{ slog.Handler }

func (h debugOnly) Enabled(ctx context.Context, _ slog.Level) bool {
	return h.Handler.Enabled(ctx, slog.LevelDebug)
}

func (h debugOnly) Handle(ctx context.Context, r slog.Record) error {
	r.Level = slog.LevelDebug
	return h.Handler.Handle(ctx, r)
}

func (h debugOnly) WithAttrs(attrs []slog.Attr) slog.Handler {
	return debugOnly{h.Handler.WithAttrs(attrs)}
}

func (h debugOnly) WithGroup(name string) slog.Handler { return debugOnly{h.Handler.WithGroup(name)} }

var (
	_ goplugin.GRPCPlugin = connOnly{}
	_ runner.Runner       = (*processRunner)(nil)
)
