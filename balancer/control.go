package balancer

import (
	"context"
	"errors"
	"io"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/onelease/onelease/balancer/controlpb"
	"github.com/onelease/onelease/raftstate/ledger"
)

// controlVersion is the version of the control protocol that this package speaks.
const controlVersion = 1

// Control is the balancer's control service, to be registered with a gRPC server.
func (b *Balancer) Control() controlpb.ControlServer { return control{balancer: b} }

type control struct {
	controlpb.UnimplementedControlServer
	balancer *Balancer
}

type attachStream = controlpb.Control_AttachServer

// lineQueue is how many messages may wait for a frontend that does not read.
const lineQueue = 64

// beatEvery is how often the leader says on each line that it lives. A frontend
// leaves a leader that was silent for two seconds.
const beatEvery = 500 * time.Millisecond

var heartbeat = &controlpb.BalancerMessage{Kind: &controlpb.BalancerMessage_Heartbeat{Heartbeat: &controlpb.Heartbeat{}}}

// A line is one Attach stream: what goes out waits in a bounded queue.
type line struct {
	out  chan *controlpb.BalancerMessage
	done chan struct{} // closed by the first of cut
}

func newLine() *line {
	return &line{out: make(chan *controlpb.BalancerMessage, lineQueue), done: make(chan struct{}, 1)}
}

// send queues m, or cuts the line if its queue is full.
func (l *line) send(m *controlpb.BalancerMessage) {
	select {
	case l.out <- m:
	default:
		l.cut()
	}
}

// cut ends the stream soon. It may be called more than once.
func (l *line) cut() {
	select {
	case l.done <- struct{}{}:
	default:
	}
}

// Attach serves one frontend until its stream ends, it falls silent, or
// another takes its name.
func (c control) Attach(stream attachStream) error {
	b := c.balancer
	first, err := stream.Recv()
	if err != nil {
		return err
	}
	hello := first.GetHello()
	if err := b.checkHello(stream.Context(), hello); err != nil {
		return err
	}
	if leader, ok := b.awaitOffice(stream.Context(), hello.GetUnreachable()); !ok {
		return stream.Send(&controlpb.BalancerMessage{Kind: &controlpb.BalancerMessage_Redirect{
			Redirect: &controlpb.Redirect{Leader: leader.Addr},
		}})
	}
	f, l, err := b.attach(stream.Context(), hello)
	if err != nil {
		return err
	}
	defer b.detach(f, l)
	return b.converse(stream, f, l)
}

// converse passes messages both ways until either side is gone.
func (b *Balancer) converse(stream attachStream, f *frontend, l *line) error {
	in, failed := receive(stream)
	b.mu.Lock()
	lostAfter := b.policy.LostAfter
	b.mu.Unlock()
	silence := time.NewTimer(lostAfter)
	defer silence.Stop()
	beat := time.NewTicker(beatEvery)
	defer beat.Stop()
	for {
		select {
		case <-beat.C:
			if err := stream.Send(heartbeat); err != nil {
				return err
			}
		case m := <-in:
			silence.Reset(lostAfter)
			if err := b.hear(stream.Context(), f, l, m); err != nil {
				return err
			}
		case m := <-l.out:
			if err := stream.Send(m); err != nil {
				return err
			}
		case err := <-failed:
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		case <-silence.C:
			return status.Errorf(codes.DeadlineExceeded, "frontend %s was silent for %v", f.name, lostAfter)
		case <-l.done:
			return status.Errorf(codes.Aborted, "frontend %s attached again, did not read, or this balancer does not lead any more", f.name)
		}
	}
}

// receive reads stream in a goroutine, which ends when the stream does: when
// its handler returns at the latest.
func receive(stream attachStream) (<-chan *controlpb.FrontendMessage, <-chan error) {
	in, failed := make(chan *controlpb.FrontendMessage), make(chan error, 1)
	go func() {
		for {
			m, err := stream.Recv()
			if err != nil {
				failed <- err
				return
			}
			select {
			case in <- m:
			case <-stream.Context().Done():
				return
			}
		}
	}()
	return in, failed
}

// attach makes hello's frontend known and welcomes it. One of the same name
// that is attached already is cut off: the newer is the one that lives.
func (b *Balancer) attach(ctx context.Context, hello *controlpb.Hello) (*frontend, *line, error) {
	b.roles.Lock()
	defer b.roles.Unlock()
	if err := b.checkRefuge(hello); err != nil {
		return nil, nil, err
	}
	drained := b.drained(hello.GetName()) && hello.GetMember()
	roles := ledger.Roles{Member: hello.GetMember(), Publisher: hello.GetPublisher(), Refuge: hello.GetRefuge()}
	if drained {
		roles = ledger.Roles{}
	}
	result, err := b.cfg.Store.Apply(ctx, ledger.PutFrontend(hello.GetName(), b.hash, roles))
	if err != nil {
		return nil, nil, status.Errorf(refusal(err), "frontend %.80q not taken in: %.200v", hello.GetName(), err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.inOffice {
		return nil, nil, errDismissed
	}
	f := b.frontends[hello.GetName()]
	if f == nil {
		f = &frontend{name: hello.GetName()}
		b.frontends[f.name] = f
	} else if f.attached {
		f.line.cut()
	}
	f.member, f.publisher, f.refuge = hello.GetMember() || hello.GetRefuge(), hello.GetPublisher(), hello.GetRefuge()
	first := f.line == nil
	f.attached, f.line, f.sentSeq = true, newLine(), 0
	f.reported, f.clockKnown = false, false
	b.hearClockLocked(f, hello.GetClockMs(), b.cfg.Now())
	f.sendLocked(&controlpb.BalancerMessage{Kind: &controlpb.BalancerMessage_Welcome{
		Welcome: &controlpb.Welcome{
			Term: result.Term, Destination: b.cfg.Keys.Destination.Bytes(), Generation: b.generation, StreamIdKey: b.idKey,
		},
	}})
	b.resumeDrainLocked(f, first, drained, hello.GetDrainUntilMs())
	if f.own != nil && first {
		f.installLocked(f.own, f.ownAt) // signed when this leader took over
	}
	b.log.Info("frontend attached", "frontend", f.name, "member", f.lists(), "publisher", f.publisher, "refuge", f.refuge)
	return f, f.line, nil
}

// refusal tells a frontend that asks for what cannot be from one that may try again.
func refusal(err error) codes.Code {
	if errors.Is(err, ledger.ErrInvalid) {
		return codes.InvalidArgument
	}
	return codes.Unavailable
}

// errDismissed ends the line of a frontend that came too late.
var errDismissed = status.Error(codes.Aborted, "this balancer does not lead any more")

// checkHello refuses what no leader would take, and who may not say it.
func (b *Balancer) checkHello(ctx context.Context, hello *controlpb.Hello) error {
	switch {
	case hello == nil:
		return status.Error(codes.InvalidArgument, "the first message must be Hello")
	case hello.GetVersion() != controlVersion:
		return status.Errorf(codes.FailedPrecondition, "control protocol version %d, this balancer speaks %d", hello.GetVersion(), controlVersion)
	case !hello.GetMember() && !hello.GetPublisher() && !hello.GetRefuge():
		return status.Errorf(codes.InvalidArgument, "frontend %.80q is neither member nor publisher", hello.GetName())
	case hello.GetRefuge() && (hello.GetMember() || hello.GetPublisher()):
		return status.Errorf(codes.InvalidArgument, "frontend %.80q is a refuge and a member or publisher: a refuge has another key than those", hello.GetName())
	}
	return b.authorize(ctx, RoleFrontend, hello.GetName())
}

// authorize asks Config.Authorize.
func (b *Balancer) authorize(ctx context.Context, role, name string) error {
	if b.cfg.Authorize == nil {
		return nil
	}
	if err := b.cfg.Authorize(ctx, role, name); err != nil {
		return status.Errorf(codes.PermissionDenied, "%v", err)
	}
	return nil
}

// detach notes that l ended, unless f has another by now.
func (b *Balancer) detach(f *frontend, l *line) {
	b.mu.Lock()
	if f.line == l && b.frontends[f.name] == f {
		f.attached, f.goneAt, f.wantsSession = false, b.cfg.Now(), false
		b.netDB.leftLocked(f, f.goneAt)
		b.freshenLocked() // should it not come back, its remotes are in a hurry
		b.log.Info("frontend detached", "frontend", f.name)
	}
	b.mu.Unlock()
	b.kick()
}

// hear acts on one message of f.
func (b *Balancer) hear(ctx context.Context, f *frontend, l *line, m *controlpb.FrontendMessage) error {
	switch kind := m.GetKind().(type) {
	case *controlpb.FrontendMessage_Heartbeat:
		b.mu.Lock()
		defer b.mu.Unlock()
		b.hearClockLocked(f, kind.Heartbeat.GetClockMs(), b.cfg.Now())
		return nil
	case *controlpb.FrontendMessage_SessionRequest:
		return b.hearSessionRequest(f, kind.SessionRequest)
	case *controlpb.FrontendMessage_Pool:
		return b.hearPool(ctx, f, l, kind.Pool)
	case *controlpb.FrontendMessage_Installed:
		b.hearInstalled(f, kind.Installed)
		return nil
	case *controlpb.FrontendMessage_ProbeReply:
		b.hearProbe(f, kind.ProbeReply)
		return nil
	case *controlpb.FrontendMessage_LookReply:
		b.hearLook(f, kind.LookReply)
		return nil
	}
	return status.Errorf(codes.InvalidArgument, "frontend %s said %T, which is not for now", f.name, m.GetKind())
}

// hearPool takes over a pool, after it was committed if it changed.
func (b *Balancer) hearPool(ctx context.Context, f *frontend, l *line, report *controlpb.Pool) error {
	leases, err := poolLeases(report)
	if err != nil {
		return status.Errorf(codes.InvalidArgument, "frontend %s: %v", f.name, err)
	}
	if _, err := b.cfg.Store.Apply(ctx, ledger.ReportPool(f.name, ledger.Pool{Up: report.GetUp(), Leases: leases})); err != nil {
		return status.Errorf(refusal(err), "pool of %s not recorded: %v", f.name, err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if f.line != l || b.frontends[f.name] != f {
		return errDismissed
	}
	now := b.cfg.Now()
	b.setPoolLocked(f, report.GetUp(), report.GetRequested(), leases, now)
	b.answerPublisherLocked(f, now)
	b.kick()
	return nil
}

// answerPublisherLocked gives a publisher that is up the LeaseSet that the
// others have, if it has not got it and it is good for a while.
func (b *Balancer) answerPublisherLocked(f *frontend, now time.Time) {
	if !f.publisher || !f.up || b.merged == nil || f.sentSeq == b.merged.install.Seq {
		return
	}
	if b.merged.leaseSet.Expires.After(b.wallLocked(now).Add(leastLife / 2)) {
		f.installLocked(b.merged, now)
	}
}

func (b *Balancer) hearInstalled(f *frontend, reply *controlpb.Installed) {
	b.mu.Lock()
	defer b.mu.Unlock()
	f.failure = reply.GetError()
	if f.failure != "" {
		b.log.Warn("LeaseSet not installed", "frontend", f.name, "seq", reply.GetSeq(), "error", f.failure)
		return
	}
	f.installedSeq = max(f.installedSeq, reply.GetSeq())
	if b.takenAt.IsZero() && b.hasMergedLocked(f) {
		b.takenAt = b.cfg.Now()
	}
}
