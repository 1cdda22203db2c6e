package backend

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/onelease/onelease/backend/pluginpb"
)

// endPatience is how long a service may take to end when the host has gone, and its
// streams when it has ended by itself.
const endPatience = 5 * time.Second

var errNoHost = errors.New("the program that started this plugin has gone")

// A pluginServer answers the calls of the host.
type pluginServer struct {
	pluginpb.UnimplementedPluginServer
	*pluginProgram
	example string // of settings
	log     *slog.Logger
	level   *slog.LevelVar
	began   atomic.Bool   // Run was called
	ended   chan struct{} // closed when that has ended
	err     error         // then: how
}

// Describe implements the call.
func (p *pluginServer) Describe(context.Context, *pluginpb.DescribeRequest) (*pluginpb.Description, error) {
	return &pluginpb.Description{Name: p.name, Version: p.version, Settings: p.example}, nil
}

// Run implements the call.
func (p *pluginServer) Run(stream pluginpb.Plugin_RunServer) error {
	if p.began.Swap(true) {
		return status.Error(codes.FailedPrecondition, "Run was called before: a process runs its service once")
	}
	defer close(p.ended)
	p.err = p.run(stream)
	return p.err
}

func (p *pluginServer) run(stream pluginpb.Plugin_RunServer) error {
	first, err := stream.Recv()
	if err != nil {
		return err
	}
	start := first.GetStart()
	if start == nil {
		return status.Error(codes.InvalidArgument, "the first message is not Start")
	}
	if start.GetDebug() {
		p.level.Set(slog.LevelDebug)
	}
	if err := p.configure(start.GetSettings()); err != nil {
		return status.Error(codes.InvalidArgument, err.Error())
	}
	r := &pluginRun{stream: stream, late: make(chan struct{})}
	if r.node, err = newPluginNode(start, p.log, r.tell); err != nil {
		return status.Error(codes.InvalidArgument, err.Error())
	}
	if err := r.tell(&pluginpb.FromPlugin{Message: &pluginpb.FromPlugin_Ready{Ready: &pluginpb.Ready{}}}); err != nil {
		return err
	}
	return r.serve(p.service)
}

// A pluginRun is a call of Run after its Start.
type pluginRun struct {
	node   *pluginNode
	stream pluginpb.Plugin_RunServer
	cancel context.CancelCauseFunc // ends the service's context

	sending sync.Mutex
	limit   sync.Once
	late    chan struct{} // closed when the time to end is over
}

func (r *pluginRun) tell(m *pluginpb.FromPlugin) error {
	r.sending.Lock()
	defer r.sending.Unlock()
	return r.stream.Send(m)
}

// serve runs the service to its end, and then its streams to theirs.
func (r *pluginRun) serve(service Service) error {
	var ctx context.Context
	ctx, r.cancel = context.WithCancelCause(context.Background())
	go r.hear()
	done := make(chan error, 1)
	go func() { done <- service.Serve(ctx, r.node) }()
	var err error
	select {
	case err = <-done:
		r.endWithin(endPatience)
	case <-r.late:
		err = errLate
	}
	r.node.close()
	r.node.streams.finish(r.late)
	return outcome(err, context.Cause(ctx))
}

var errLate = errors.New("the service did not end in time")

// outcome is what Run returns.
func outcome(err, cause error) error {
	switch {
	case err == errLate:
		return status.Error(codes.DeadlineExceeded, err.Error())
	case cause != nil || err == nil:
		return nil // what Serve returns once it was told to end is not an error
	}
	return status.Error(codes.Unknown, "service: "+err.Error())
}

// hear takes what the host says, until that has gone.
func (r *pluginRun) hear() {
	for {
		m, err := r.stream.Recv()
		if err != nil {
			r.node.log.Debug("nothing more comes from Onelease", "error", err)
			r.endService(errNoHost, endPatience)
			r.node.streams.reset()
			return
		}
		if d := m.GetDrain(); d != nil {
			limit := time.Duration(d.GetLimitMs()) * time.Millisecond
			r.endService(&Ending{limit}, limit)
			continue
		}
		r.node.hear(m)
	}
}

// endService tells the service to end, the first time, and has it end within a limit.
func (r *pluginRun) endService(why error, limit time.Duration) {
	r.endWithin(limit)
	r.cancel(why)
}

// endWithin sets the limit for everything to end, unless there is one.
func (r *pluginRun) endWithin(limit time.Duration) {
	r.limit.Do(func() { time.AfterFunc(limit, func() { close(r.late) }) })
}
