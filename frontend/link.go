package frontend

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/onelease/onelease/balancer/controlpb"
)

const (
	// helloTimeout bounds the connection and the first answer, for which a
	// balancer may wait a second. Time that is lost on one that is gone without a
	// word counts against the four that a new leader gives.
	helloTimeout = 2500 * time.Millisecond
	// heartbeatEvery is how often the frontend says that it lives.
	heartbeatEvery = 500 * time.Millisecond
	// silenceTime is how long the leader, which says twice a second that it
	// leads, may be silent: a process that hangs keeps its connections.
	silenceTime = 2 * time.Second
	// partingTime is for the last words at the end.
	partingTime = time.Second
)

// A link is one Attach stream. It ends when either side ends it, when the
// leader is lost, or by close.
type link struct {
	c        *control
	target   string
	client   controlpb.ControlClient
	ctx      context.Context // of the stream
	cancel   context.CancelCauseFunc
	stop     func() bool // takes back what newLink asked of its ctx
	stream   attachStream
	redirect string // to whom hello was redirected
}

type attachStream = controlpb.Control_AttachClient

// newLink makes a link. It outlives ctx, for the sake of last words in serve.
func newLink(ctx context.Context, c *control, target string, client controlpb.ControlClient) *link {
	l := &link{c: c, target: target, client: client}
	l.ctx, l.cancel = context.WithCancelCause(context.WithoutCancel(ctx))
	l.stop = context.AfterFunc(ctx, func() {
		timer := time.AfterFunc(partingTime, l.end)
		context.AfterFunc(l.ctx, func() { timer.Stop() })
	})
	return l
}

func (l *link) end() { l.cancel(context.Canceled) }

func (l *link) close() {
	l.stop()
	l.end()
}

// hello opens the stream and returns what the leader says.
func (l *link) hello(ctx context.Context) (*controlpb.Welcome, error) {
	defer context.AfterFunc(ctx, l.end)()
	timeout := time.AfterFunc(helloTimeout, func() { l.cancel(fmt.Errorf("no answer in %v", helloTimeout)) })
	defer timeout.Stop()
	var err error
	if l.stream, err = l.client.Attach(l.ctx); err != nil {
		return nil, l.failed(err)
	}
	err = l.stream.Send(&controlpb.FrontendMessage{Kind: &controlpb.FrontendMessage_Hello{Hello: l.c.greeting()}})
	if err != nil && !errors.Is(err, io.EOF) { // EOF: Recv knows why
		return nil, l.failed(err)
	}
	m, err := l.stream.Recv()
	if err != nil {
		return nil, l.failed(err)
	}
	if r := m.GetRedirect(); r != nil {
		l.redirect = r.GetLeader()
		return nil, l.failed(errNoLeader)
	}
	if m.GetWelcome() == nil {
		return nil, l.failed(fmt.Errorf("it says %T in place of Welcome", m.GetKind()))
	}
	return m.GetWelcome(), nil
}

// failed says why the link ended.
func (l *link) failed(err error) error {
	if l.ctx.Err() != nil {
		err = context.Cause(l.ctx)
	}
	return fmt.Errorf("balancer %s: %w", l.target, err)
}

// serve passes messages both ways until the link ends. When ctx ends it says
// what is left to say first.
func (l *link) serve(ctx context.Context) error {
	var group sync.WaitGroup
	group.Go(l.listen)
	l.talk(ctx)
	group.Wait()
	return l.failed(l.ctx.Err())
}

// talk sends until the link ends; at the end of ctx it closes it.
func (l *link) talk(ctx context.Context) {
	beat := time.NewTicker(heartbeatEvery)
	defer beat.Stop()
	for {
		if err := l.send(l.c.take()...); err != nil {
			return // listen has the reason
		}
		select {
		case <-l.ctx.Done():
			return
		case <-ctx.Done():
			l.send(l.c.take()...)
			l.stream.CloseSend()
			return
		case <-l.c.wake:
		case <-beat.C:
			l.send(&controlpb.FrontendMessage{Kind: &controlpb.FrontendMessage_Heartbeat{
				Heartbeat: &controlpb.Heartbeat{ClockMs: time.Now().UnixMilli()},
			}})
		}
	}
}

func (l *link) send(messages ...*controlpb.FrontendMessage) error {
	for _, m := range messages {
		if err := l.stream.Send(m); err != nil {
			return err
		}
	}
	return nil
}

// listen acts on what the leader says, and ends the link when it falls silent.
func (l *link) listen() {
	silence := time.AfterFunc(silenceTime, func() {
		l.cancel(fmt.Errorf("%w: it was silent for %v", errLost, silenceTime))
	})
	defer silence.Stop()
	for {
		m, err := l.stream.Recv()
		silence.Reset(silenceTime)
		if err != nil {
			if errors.Is(err, io.EOF) {
				err = fmt.Errorf("%w: it ended the link", errLost)
			}
			l.cancel(err)
			return
		}
		switch kind := m.GetKind().(type) {
		case *controlpb.BalancerMessage_Session:
			l.c.answered(kind.Session.GetConfig())
		case *controlpb.BalancerMessage_Install:
			l.c.events.install(kind.Install)
		case *controlpb.BalancerMessage_Probe:
			l.c.events.probe(kind.Probe.GetId())
		case *controlpb.BalancerMessage_Look:
			l.c.events.look(kind.Look.GetId())
		case *controlpb.BalancerMessage_Drain:
			l.c.events.drained(kind.Drain)
		case *controlpb.BalancerMessage_Heartbeat:
		default:
			l.c.log.Debug("balancer says what this version does not know", "kind", fmt.Sprintf("%T", m.GetKind()))
		}
	}
}
