package plugin

import (
	"context"
	"fmt"
	"io"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"github.com/onelease/onelease/backend"
	"github.com/onelease/onelease/backend/pluginpb"
	"github.com/onelease/onelease/internal/pluginwire"
)

const (
	// maxLookups is how many lookups of an instance are under way at once. It waits
	// for more.
	maxLookups = 64
	// lookupLimit bounds each.
	lookupLimit = 30 * time.Second
	// healthFailures is how many health checks in a row may fail.
	healthFailures = 3
)

// hear does what the plugin asks for, until its control stream ends. It returns nil if the
// plugin ended it well.
func (i *instance) hear() error {
	for {
		m, err := i.control.Recv()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		switch m := m.Message.(type) {
		case *pluginpb.FromPlugin_Open:
			i.open(m.Open)
		case *pluginpb.FromPlugin_Close:
			i.s.ports.closeOf(i, m.Close.GetId())
		case *pluginpb.FromPlugin_Lookup:
			i.lookUp(m.Lookup)
		default: // of a later version of the protocol
			i.log.Debug("message of the plugin that is not known", "message", fmt.Sprintf("%T", m))
		}
	}
}

// explain says in words how a control stream ended.
func (i *instance) explain(err error) error {
	s := status.Convert(err)
	switch s.Code() {
	case codes.OK:
		return nil
	case codes.Unavailable, codes.Canceled:
		return errDied
	}
	return fmt.Errorf("its service failed: %s", shorten(s.Message(), 500))
}

func (i *instance) open(m *pluginpb.Open) {
	err := fmt.Errorf("kind %d and port %d: %w", m.GetKind(), m.GetPort(), errViolation)
	if m.GetKind() <= 255 && m.GetPort() <= 65535 {
		err = i.s.ports.open(i, m.GetId(), portKey{backend.Kind(m.GetKind()), uint16(m.GetPort())})
	}
	select {
	case i.opened <- struct{}{}:
	default:
	}
	answer := &pluginpb.Opened{Id: m.GetId()}
	answer.Error, answer.Code = failure(err)
	i.log.Debug("plugin opens a port", "kind", m.GetKind(), "port", m.GetPort(), "error", err)
	i.tell(&pluginpb.ToPlugin{Message: &pluginpb.ToPlugin_Opened{Opened: answer}})
}

func failure(err error) (string, pluginpb.ErrorCode) {
	e := pluginwire.Of(err)
	if e == nil {
		return "", pluginpb.ErrorCode_ERROR_CODE_NONE
	}
	return e.Text, pluginpb.ErrorCode(e.Code)
}

// lookUp waits if too many are under way, and with it all that the plugin asks for.
func (i *instance) lookUp(m *pluginpb.Lookup) {
	select {
	case i.lookups <- struct{}{}:
	case <-i.ctx.Done():
		return
	}
	go func() {
		defer func() { <-i.lookups }()
		ctx, cancel := context.WithTimeout(i.ctx, lookupLimit)
		defer cancel()
		dest, err := i.s.node.Lookup(ctx, m.GetName())
		answer := &pluginpb.LookedUp{Id: m.GetId(), Destination: dest.Bytes()}
		answer.Error, answer.Code = failure(err)
		i.tell(&pluginpb.ToPlugin{Message: &pluginpb.ToPlugin_LookedUp{LookedUp: answer}})
	}()
}

// drain tells the plugin to end, and kills it if it does not within a limit.
func (i *instance) drain(limit time.Duration) {
	i.setState(Draining)
	i.s.ports.reassign()
	i.tell(&pluginpb.ToPlugin{Message: &pluginpb.ToPlugin_Drain{Drain: &pluginpb.Drain{LimitMs: limit.Milliseconds()}}})
	late := time.AfterFunc(limit, func() { i.kill(errDrained) })
	go func() {
		<-i.done
		late.Stop()
	}()
}

// watchHealth kills the plugin if it answers no more, until ctx ends.
func (i *instance) watchHealth(ctx context.Context) {
	health := grpc_health_v1.NewHealthClient(i.conn)
	for {
		select {
		case <-time.After(i.s.timing.health):
		case <-ctx.Done():
			return
		}
		if i.checkHealth(ctx, health) || ctx.Err() != nil {
			i.unhealthy.Store(0)
		} else if i.unhealthy.Add(1) >= healthFailures {
			i.kill(errHung)
			return
		}
	}
}

func (i *instance) checkHealth(ctx context.Context, health grpc_health_v1.HealthClient) bool {
	ctx, cancel := context.WithTimeout(ctx, i.s.timing.health)
	defer cancel()
	answer, err := health.Check(ctx, &grpc_health_v1.HealthCheckRequest{Service: "plugin"})
	return err == nil && answer.GetStatus() == grpc_health_v1.HealthCheckResponse_SERVING
}
