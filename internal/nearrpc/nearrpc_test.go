package nearrpc

import (
	"context"
	"fmt"
	"io"
	"testing"
	"testing/synctest"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/onelease/onelease/balancer/controlpb"
)

// A service echoes heartbeats, by the number of the clock that they say.
type service struct {
	controlpb.UnimplementedControlServer
	ended chan error // what Attach ended with
}

func (s *service) Attach(stream controlpb.Control_AttachServer) (err error) {
	defer func() { s.ended <- err }()
	for {
		m, err := stream.Recv()
		switch {
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		case m.GetHeartbeat().GetClockMs() == 0:
			return status.Error(codes.InvalidArgument, "no clock")
		}
		reply := &controlpb.Welcome{Term: uint64(m.GetHeartbeat().GetClockMs())}
		if err := stream.Send(&controlpb.BalancerMessage{Kind: &controlpb.BalancerMessage_Welcome{Welcome: reply}}); err != nil {
			return err
		}
	}
}

func (s *service) GetStatus(ctx context.Context, _ *controlpb.StatusRequest) (*controlpb.Status, error) {
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	return &controlpb.Status{Term: 7}, nil
}

func (s *service) Delegate(ctx context.Context, r *controlpb.DelegateRequest) (*controlpb.DelegateReply, error) {
	if r.GetName() == "waits" {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return nil, fmt.Errorf("no permission for %s", r.GetName())
}

func inBubble(t *testing.T, test func(t *testing.T, s *service, c *Conn, client controlpb.ControlClient)) {
	synctest.Test(t, func(t *testing.T) {
		s := &service{ended: make(chan error, 1)}
		c := New(&controlpb.Control_ServiceDesc, s)
		defer c.Close()
		test(t, s, c, controlpb.NewControlClient(c))
	})
}

func beat(clock int64) *controlpb.FrontendMessage {
	return &controlpb.FrontendMessage{Kind: &controlpb.FrontendMessage_Heartbeat{Heartbeat: &controlpb.Heartbeat{ClockMs: clock}}}
}

func TestCalls(t *testing.T) {
	inBubble(t, func(t *testing.T, _ *service, c *Conn, client controlpb.ControlClient) {
		if s, err := client.GetStatus(t.Context(), &controlpb.StatusRequest{}); err != nil || s.GetTerm() != 7 {
			t.Errorf("%v, %v", s, err)
		}
		if _, err := client.Delegate(t.Context(), &controlpb.DelegateRequest{Name: "x"}); status.Code(err) != codes.Unknown || status.Convert(err).Message() != "no permission for x" {
			t.Errorf("an error arrives as %v", err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		go cancel()
		if _, err := client.Delegate(ctx, &controlpb.DelegateRequest{Name: "waits"}); status.Code(err) != codes.Canceled {
			t.Errorf("given up: %v", err)
		}
		if err := c.Invoke(t.Context(), "/other.Service/GetStatus", nil, nil); status.Code(err) != codes.Unimplemented {
			t.Errorf("another service: %v", err)
		}
	})
}

// Messages arrive in order, and those that were sent before the end do.
func TestStream(t *testing.T) {
	inBubble(t, func(t *testing.T, s *service, _ *Conn, client controlpb.ControlClient) {
		stream, err := client.Attach(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		const messages = 3 * queue
		go func() {
			for i := range messages {
				stream.Send(beat(int64(i + 1)))
			}
			stream.CloseSend()
		}()
		for i := range messages {
			m, err := stream.Recv()
			if err != nil || m.GetWelcome().GetTerm() != uint64(i+1) {
				t.Fatalf("message %d: %v, %v", i, m, err)
			}
		}
		if _, err := stream.Recv(); err != io.EOF {
			t.Errorf("after the last: %v", err)
		}
		if err := <-s.ended; err != nil {
			t.Errorf("the handler ended with %v", err)
		}
	})
}

func TestStreamEnds(t *testing.T) {
	t.Run("by the handler", func(t *testing.T) {
		inBubble(t, func(t *testing.T, _ *service, _ *Conn, client controlpb.ControlClient) {
			stream, _ := client.Attach(t.Context())
			stream.Send(beat(0))
			if _, err := stream.Recv(); status.Code(err) != codes.InvalidArgument {
				t.Errorf("Recv: %v", err)
			}
			if err := stream.Send(beat(1)); err != io.EOF {
				t.Errorf("Send: %v", err)
			}
		})
	})
	t.Run("by the client", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *service, _ *Conn, client controlpb.ControlClient) {
			ctx, cancel := context.WithCancel(t.Context())
			stream, _ := client.Attach(ctx)
			cancel()
			if _, err := stream.Recv(); status.Code(err) != codes.Canceled {
				t.Errorf("Recv: %v", err)
			}
			if err := <-s.ended; status.Code(err) != codes.Canceled {
				t.Errorf("the handler ended with %v", err)
			}
		})
	})
	t.Run("by Close", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *service, c *Conn, client controlpb.ControlClient) {
			stream, _ := client.Attach(t.Context())
			c.Close()
			if _, err := stream.Recv(); err == nil || err == io.EOF {
				t.Errorf("Recv: %v", err)
			}
			<-s.ended
			if _, err := client.Attach(t.Context()); status.Code(err) != codes.Unavailable {
				t.Errorf("called afterwards: %v", err)
			}
		})
	})
}

// Who sends faster than the other reads waits.
func TestFlowControl(t *testing.T) {
	inBubble(t, func(t *testing.T, _ *service, _ *Conn, client controlpb.ControlClient) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		stream, _ := client.Attach(ctx)
		sent := 0
		go func() {
			for stream.Send(beat(1)) == nil {
				sent++
			}
		}()
		synctest.Wait()
		if sent == 0 || sent > 3*queue {
			t.Errorf("%d messages were taken that nobody reads", sent)
		}
	})
}
