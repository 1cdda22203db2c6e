package plugin

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	goplugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"

	"github.com/onelease/onelease/backend/pluginpb"
	"github.com/onelease/onelease/internal/pluginwire"
)

// An instance is one process of the plugin, from its start to its end.
type instance struct {
	s     *Supervisor
	spec  *spec
	log   *slog.Logger
	logs  *logs
	dir   string // of its sockets
	token pluginwire.Token
	since time.Time

	client      *goplugin.Client
	conn        *grpc.ClientConn
	control     pluginpb.Plugin_RunClient
	description atomic.Pointer[pluginpb.Description]
	out         *outbox
	lookups     chan struct{} // a slot for each
	data        *dataSocket
	traffic     traffic
	unhealthy   atomic.Int32

	// ctx ends when it is to be killed, or has ended; its cause says why.
	ctx     context.Context
	cancel  context.CancelCauseFunc
	closing chan struct{} // closed when its control stream has ended
	opened  chan struct{} // signalled when it has opened a port
	done    chan struct{} // closed when the process has ended, and err is why
	gone    chan struct{} // closed when its streams have too
	err     error         // nil if its service has done its work

	mu      sync.Mutex
	process *process // nil before it has started
	state   State
}

// newInstance prepares an instance of spec, which it uses until it has ended.
func (s *Supervisor) newInstance(spec *spec) (*instance, error) {
	dir, err := makeSocketDir(s.cfg.TempDir)
	if err != nil {
		return nil, err
	}
	i := &instance{
		s: s, spec: spec.use(), dir: dir, since: time.Now(), state: Starting,
		log: s.log, logs: &logs{log: s.log, limit: &s.logLimit},
		out: newOutbox(), lookups: make(chan struct{}, maxLookups),
		opened: make(chan struct{}, 1), closing: make(chan struct{}), done: make(chan struct{}), gone: make(chan struct{}),
	}
	rand.Read(i.token[:])
	i.client = i.newClient()
	i.ctx, i.cancel = context.WithCancelCause(context.Background())
	context.AfterFunc(i.ctx, i.killProcess)
	s.remember(i)
	return i, nil
}

// kill ends the process at once.
func (i *instance) kill(cause error) { i.cancel(cause) }

func (i *instance) killProcess() {
	i.mu.Lock()
	p := i.process
	i.mu.Unlock()
	if p != nil {
		p.kill()
	}
}

// started is called when there is a process.
func (i *instance) started(p *process) {
	i.mu.Lock()
	i.process = p
	i.mu.Unlock()
	go func() {
		<-p.exited
		i.cancel(errDied)
	}()
	if i.ctx.Err() != nil { // killed meanwhile
		p.kill()
	}
}

func (i *instance) setState(s State) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.state = s
}

func (i *instance) getState() State {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.state
}

// tell sends a message to the plugin, at some time. It never waits.
func (i *instance) tell(m *pluginpb.ToPlugin) {
	if !i.out.put(m) {
		i.kill(errDeaf)
	}
}

// attend serves a plugin that is ready until it ends.
func (i *instance) attend() {
	healthy, stop := context.WithCancel(i.ctx)
	go i.data.accept()
	go i.watchHealth(healthy)
	err := i.hear()
	stop()
	close(i.closing)
	i.s.ports.leave(i) // what comes from now on is the next one's
	i.end(err)
}

// end ends the process, once there is no reason any more for it to live; err is how
// its control stream ended.
func (i *instance) end(err error) {
	cause := context.Cause(i.ctx)
	i.stopProcess()
	if cause == nil || errors.Is(cause, errDied) {
		cause = i.explain(err)
	}
	i.err = cause
	i.cancel(cause)
	i.log.Log(context.Background(), i.levelOfEnd(), "plugin ended", i.endAttrs()...)
	i.s.ended(i)
	close(i.done)
	go i.cleanUp()
}

// stopProcess asks the process to end and kills it if it does not. A process that was
// killed is only cleaned up after.
func (i *instance) stopProcess() {
	late := time.AfterFunc(stopLimit, i.killProcess)
	defer late.Stop()
	i.client.Kill()
	i.mu.Lock()
	p := i.process
	i.mu.Unlock()
	if p != nil {
		p.kill()
		<-p.exited
	}
}

// stopLimit is how long go-plugin's Shutdown may take.
const stopLimit = 3 * time.Second

// cleanUp lets streams that the plugin has written to their end be sent, and then removes
// what the process had.
func (i *instance) cleanUp() {
	if i.data != nil {
		i.data.close(i.s.timing.linger)
	}
	os.RemoveAll(i.dir)
	i.spec.release()
	i.s.forget(i)
	close(i.gone)
}

func (i *instance) endAttrs() []any {
	attrs := []any{"pid", i.pid(), "status", i.status(), "ran", time.Since(i.since).Round(time.Millisecond)}
	if i.err != nil {
		attrs = append(attrs, "error", i.err)
		if last := i.logs.last(); len(last) > 0 {
			attrs = append(attrs, "last_lines", last)
		}
	}
	return attrs
}

func (i *instance) levelOfEnd() slog.Level {
	if i.err == nil || errors.Is(i.err, errStopped) {
		return slog.LevelInfo
	}
	return slog.LevelError
}

func (i *instance) pid() int {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.process == nil {
		return 0
	}
	return i.process.pid()
}

func (i *instance) version() string { return shorten(i.description.Load().GetVersion(), 64) }

// status is how the process ended, or "not started".
func (i *instance) status() string {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.process == nil {
		return "not started"
	}
	return i.process.status()
}

// exit is its end for Stats, once it has ended.
func (i *instance) exit() Exit {
	reason := i.status()
	if i.err != nil {
		reason = fmt.Sprintf("%v (%s)", i.err, reason)
	}
	return Exit{At: time.Now(), Reason: reason, Lines: i.logs.last()}
}
