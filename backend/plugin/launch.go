package plugin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"syscall"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/onelease/onelease/backend/pluginpb"
)

// socketPathMax is the longest path of a unix socket (unix(7)), and socketNameMax what
// is added to the directory: "/plugin-dir1234567890/plugin1234567890".
const (
	socketPathMax = 107
	socketNameMax = 40
)

// makeSocketDir makes a directory that only we may enter, with a path that leaves
// room for the names of sockets.
func makeSocketDir(in string) (string, error) {
	dir, err := os.MkdirTemp(in, "onelease-")
	if err != nil {
		return "", fmt.Errorf("directory for the plugin's sockets: %w", err)
	}
	if len(dir)+socketNameMax <= socketPathMax {
		return dir, nil
	}
	os.Remove(dir)
	if in == "" {
		return makeSocketDir("/tmp")
	}
	return "", fmt.Errorf("%w: TempDir %s is too long a path for sockets: use one of at most %d bytes", ErrConfig, in, socketPathMax-socketNameMax-20)
}

// launch starts an instance and returns it when it is ready, within the StartLimit. It
// gets no port yet: see Supervisor.activate. What fails leaves nothing behind.
func (s *Supervisor) launch(ctx context.Context, spec *spec) (*instance, error) {
	i, err := s.newInstance(spec)
	if err != nil {
		return nil, err
	}
	if err := i.startWithin(ctx, i.begin); err != nil {
		i.discard(err)
		return nil, err
	}
	i.log.Info("plugin is ready", "pid", i.pid(), "version", i.version(), "sha256", spec.sum,
		"took", time.Since(i.since).Round(time.Millisecond))
	go i.attend()
	return i, nil
}

// startWithin starts the process and does what then is to be done, within the StartLimit.
func (i *instance) startWithin(ctx context.Context, then func() error) error {
	late := time.AfterFunc(i.s.cfg.StartLimit, func() { i.kill(ErrStartLimit) })
	defer late.Stop()
	defer context.AfterFunc(ctx, func() { i.kill(errStopped) })()
	err := i.start()
	if err == nil {
		err = then()
	}
	if err != nil && context.Cause(i.ctx) == nil {
		i.awaitDeath() // of which err may be the first sign
	}
	if cause := context.Cause(i.ctx); cause != nil {
		err = i.explainEarlyEnd(cause, err)
	}
	if err != nil {
		err = fmt.Errorf("start plugin %s: %w", i.s.cfg.Name, err)
	}
	return err
}

// awaitDeath waits a moment for the process to end.
func (i *instance) awaitDeath() {
	select {
	case <-i.ctx.Done():
	case <-time.After(50 * time.Millisecond):
	}
}

func (i *instance) explainEarlyEnd(cause, err error) error {
	known := errors.Is(err, ErrNotPlugin) || errors.Is(err, ErrVersion) || errors.Is(err, ErrSettings) || errors.Is(err, errViolation)
	switch {
	case errors.Is(cause, ErrStartLimit):
		return fmt.Errorf("%s was not ready within %v: it hangs in its start, or StartLimit is too short: %w", i.spec.path, i.s.cfg.StartLimit, ErrStartLimit)
	case !errors.Is(cause, errDied):
		return cause
	case known:
		return err
	}
	return fmt.Errorf("%s ended before it was ready: %s; its last lines: %q", i.spec.path, i.status(), i.logs.last())
}

// discard ends an instance that did not become ready, or was not to.
func (i *instance) discard(err error) {
	i.kill(errStopped)
	i.stopProcess()
	i.err = err
	if !errors.Is(err, errStopped) {
		i.s.ended(i)
	}
	close(i.done)
	i.cleanUp()
}

// start starts the process and connects to it.
func (i *instance) start() error {
	if _, err := i.client.Start(); err != nil {
		return i.explainStart(err)
	}
	client, err := i.client.Client()
	if err != nil {
		return err
	}
	conn, err := client.Dispense("service")
	if err != nil {
		return err
	}
	i.conn = conn.(*grpc.ClientConn)
	return nil
}

// explainStart says what go-plugin's errors mean; those of its handshake are texts only.
func (i *instance) explainStart(err error) error {
	path := i.spec.path
	switch {
	case errors.Is(err, syscall.ENOEXEC):
		return fmt.Errorf("%s is not a program for this machine, nor a script that begins with #!: %w", path, ErrNotPlugin)
	case errors.Is(err, fs.ErrPermission), errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%s cannot be executed: %w: %w", path, err, ErrNotPlugin)
	case errors.Is(err, errViolation):
		return fmt.Errorf("%s: %w", path, err)
	case errors.Is(err, ErrChecksum), i.pid() == 0:
		return err
	case hasPrefix(err, "incompatible"):
		return fmt.Errorf("%s: %s: build it with a version of Onelease that fits this one: %w", path, shorten(err.Error(), 200), ErrVersion)
	}
	return fmt.Errorf("%s: %s: it must print a plugin's first line, as backend.Serve does: %w", path, shorten(err.Error(), 300), ErrNotPlugin)
}

func hasPrefix(err error, prefix string) bool {
	text := err.Error()
	return len(text) >= len(prefix) && text[:len(prefix)] == prefix
}

// describe asks what the plugin is.
func (i *instance) describe() error {
	d, err := pluginpb.NewPluginClient(i.conn).Describe(i.ctx, &pluginpb.DescribeRequest{})
	if err != nil {
		return fmt.Errorf("%s does not describe itself: %s", i.spec.path, shorten(status.Convert(err).Message(), 300))
	}
	i.description.Store(d)
	return nil
}

// begin asks what the plugin is, and starts its service.
func (i *instance) begin() (err error) {
	if err := i.describe(); err != nil {
		return err
	}
	if i.data, err = i.listenData(); err != nil {
		return err
	}
	if i.control, err = pluginpb.NewPluginClient(i.conn).Run(i.ctx); err != nil {
		return err
	}
	go i.out.send(i.control, i.ctx.Done())
	i.tell(i.startMessage())
	first, err := i.control.Recv()
	switch {
	case status.Code(err) == codes.InvalidArgument:
		return fmt.Errorf("%w: %s", ErrSettings, shorten(status.Convert(err).Message(), 500))
	case err == io.EOF:
		return fmt.Errorf("its service ended before it was ready: %w", errViolation)
	case err != nil:
		return errors.New(shorten(status.Convert(err).Message(), 500))
	case first.GetReady() == nil:
		return fmt.Errorf("its first message is not Ready: %w", errViolation)
	}
	return nil
}

func (i *instance) startMessage() *pluginpb.ToPlugin {
	return &pluginpb.ToPlugin{Message: &pluginpb.ToPlugin_Start{Start: &pluginpb.Start{
		Destination: i.s.node.Destination().Bytes(),
		DataSocket:  i.data.path,
		Token:       i.token[:],
		Settings:    i.spec.settings,
		Name:        i.s.cfg.Name,
		Debug:       i.log.Enabled(context.Background(), slog.LevelDebug),
	}}}
}

// Describe starts the plugin of a Config, asks what it is, and ends it. Its errors are
// those of a start.
func Describe(ctx context.Context, c Config) (*pluginpb.Description, error) {
	s, err := New(c)
	if err != nil {
		return nil, err
	}
	return s.describe(ctx)
}

func (s *Supervisor) describe(ctx context.Context) (*pluginpb.Description, error) {
	spec, err := s.cfg.resolve()
	if err != nil {
		return nil, err
	}
	defer spec.release()
	s.log, s.ports = s.cfg.logger(slog.Default()), newPortTable(s)
	i, err := s.newInstance(spec)
	if err != nil {
		return nil, err
	}
	err = i.startWithin(ctx, i.describe)
	i.discard(err)
	return i.description.Load(), err
}
