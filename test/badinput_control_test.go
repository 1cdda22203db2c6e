package test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	"github.com/onelease/onelease/balancer/controlpb"
)

// hello is what a good frontend says first.
func hello(name string) *controlpb.FrontendMessage {
	return &controlpb.FrontendMessage{Kind: &controlpb.FrontendMessage_Hello{
		Hello: &controlpb.Hello{Version: 1, Name: name, Member: true},
	}}
}

// pool reports so many leases, with a gateway of so many bytes.
func pool(leases, gateway int, end time.Time) *controlpb.FrontendMessage {
	p := &controlpb.Pool{Up: true, Requested: true}
	for i := range leases {
		p.Leases = append(p.Leases, &controlpb.Lease{Gateway: make([]byte, gateway), TunnelId: uint32(i), EndMs: end.UnixMilli()})
	}
	return &controlpb.FrontendMessage{Kind: &controlpb.FrontendMessage_Pool{Pool: p}}
}

// TestBadFrontends has frontends attach to the balancer that report what cannot
// be. Each must be told why, and none of it may get into the LeaseSet.
func TestBadFrontends(t *testing.T) {
	soon := time.Date(2000, 1, 1, 0, 10, 0, 0, time.UTC) // the bubble's time begins in 2000
	named := func(change func(*controlpb.Hello)) *controlpb.FrontendMessage {
		m := hello("bad")
		change(m.GetHello())
		return m
	}
	heartbeat := &controlpb.FrontendMessage{Kind: &controlpb.FrontendMessage_Heartbeat{Heartbeat: &controlpb.Heartbeat{}}}
	whileServing(t, func(v *target) {
		for _, test := range []struct {
			name string
			says []*controlpb.FrontendMessage
			code codes.Code // any if it is OK
			want []string
		}{
			{"no Hello", []*controlpb.FrontendMessage{pool(3, 32, soon)}, codes.InvalidArgument, []string{"first message must be Hello"}},
			{"an empty message", []*controlpb.FrontendMessage{{}}, codes.InvalidArgument, []string{"first message must be Hello"}},
			{"another version", []*controlpb.FrontendMessage{named(func(h *controlpb.Hello) { h.Version = 99 })}, codes.FailedPrecondition, []string{"version 99", "speaks 1"}},
			{"no role", []*controlpb.FrontendMessage{named(func(h *controlpb.Hello) { h.Member = false })}, codes.InvalidArgument, []string{"bad", "neither member nor publisher"}},
			{"no name", []*controlpb.FrontendMessage{hello("")}, codes.OK, []string{"1 to 64 characters"}},
			{"a bad name", []*controlpb.FrontendMessage{hello("Bad Name")}, codes.OK, []string{`"Bad Name"`, "a-z"}},
			{"a name of 1 MB", []*controlpb.FrontendMessage{hello(strings.Repeat("x", 1<<20))}, codes.OK, []string{"1 to 64 characters"}},
			{"1000 leases", []*controlpb.FrontendMessage{hello("bad"), pool(1000, 32, soon)}, codes.InvalidArgument, []string{"frontend bad", "1000 leases", "at most 18"}},
			{"a gateway of 5 bytes", []*controlpb.FrontendMessage{hello("bad"), pool(3, 5, soon)}, codes.InvalidArgument, []string{"frontend bad", "gateway of 5 bytes"}},
			{"no gateway", []*controlpb.FrontendMessage{hello("bad"), pool(3, 0, soon)}, codes.InvalidArgument, []string{"frontend bad", "gateway of 0 bytes"}},
			{"an end before 1970", []*controlpb.FrontendMessage{hello("bad"), pool(3, 32, time.UnixMilli(-1<<60))}, codes.InvalidArgument, []string{"frontend bad", "ends at"}},
			{"an end after 2106", []*controlpb.FrontendMessage{hello("bad"), pool(3, 32, time.UnixMilli(1<<60))}, codes.InvalidArgument, []string{"frontend bad", "ends at"}},
			{"a second Hello", []*controlpb.FrontendMessage{hello("bad"), hello("bad")}, codes.InvalidArgument, []string{"frontend bad", "not for now"}},
			{"a message of 5 MB", []*controlpb.FrontendMessage{hello("bad"), hello(strings.Repeat("x", 5<<20))}, codes.ResourceExhausted, []string{"larger than max"}},
			{"silence", []*controlpb.FrontendMessage{hello("bad"), heartbeat}, codes.DeadlineExceeded, []string{"frontend bad", "silent for 2s"}},
		} {
			err := v.attach(test.says)
			if test.code != codes.OK && status.Code(err) != test.code {
				t.Errorf("%s: %v, want code %v", test.name, err, test.code)
			}
			v.expect(test.name, err.Error(), test.want...)
		}
		v.until("what it attached is gone", func() bool {
			for _, f := range v.node.Balancer().Status().GetFrontends() {
				if f.GetName() == "bad" && (f.GetUp() || f.GetAttached()) {
					return false
				}
			}
			return true
		})
	})
}

// attach says something to the balancer and returns why it ended the stream.
func (v *target) attach(says []*controlpb.FrontendMessage) error {
	v.t.Helper()
	conn, err := grpc.NewClient("passthrough:///balancer", grpc.WithContextDialer(v.dialBalancer),
		grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithNoProxy())
	if err != nil {
		v.t.Fatal(err)
	}
	defer conn.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	stream, err := controlpb.NewControlClient(conn).Attach(ctx)
	if err != nil {
		v.t.Fatal(err)
	}
	for _, m := range says {
		if err := stream.Send(m); err != nil && !errors.Is(err, io.EOF) {
			return err
		}
	}
	for {
		if _, err := stream.Recv(); err != nil {
			return err
		}
	}
}

// TestNoise has something connect to the balancer that is no frontend.
func TestNoise(t *testing.T) {
	whileServing(t, func(v *target) {
		for _, noise := range []string{
			strings.Repeat("noise", 1<<20), "GET / HTTP/1.1\r\nHost: balancer\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + strings.Repeat("\xff", 1<<20),
		} {
			conn, err := v.control.Dial(v.t.Context())
			if err != nil {
				t.Fatal(err)
			}
			conn.SetDeadline(time.Now().Add(10 * time.Second))
			done := make(chan struct{})
			go func() { io.WriteString(conn, noise); close(done) }()
			if _, err := io.ReadAll(conn); err != nil {
				t.Errorf("the balancer did not hang up on %.20q: %v", noise, err)
			}
			conn.Close()
			<-done
		}
	})
}
