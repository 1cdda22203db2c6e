package nearrpc

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

// A Conn leads to one service. Its methods may be called by many goroutines.
type Conn struct {
	desc    *grpc.ServiceDesc
	service any

	ctx  context.Context // ends with Close
	stop context.CancelFunc

	mu      sync.Mutex
	serving sync.WaitGroup // no Add after stop
}

// New returns a Conn to service, which implements what desc describes.
func New(desc *grpc.ServiceDesc, service any) *Conn {
	c := &Conn{desc: desc, service: service}
	c.ctx, c.stop = context.WithCancel(context.Background())
	return c
}

// Close ends all calls, and waits until the service's methods have returned. What is
// called then is codes.Unavailable.
func (c *Conn) Close() {
	c.mu.Lock()
	c.stop()
	c.mu.Unlock()
	c.serving.Wait()
}

// serve runs f, unless c is closed.
func (c *Conn) serve(f func()) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ctx.Err() != nil {
		return errClosed
	}
	c.serving.Go(f)
	return nil
}

var errClosed = status.Error(codes.Unavailable, "the service has ended")

// Invoke implements grpc.ClientConnInterface.
func (c *Conn) Invoke(ctx context.Context, method string, args, reply any, _ ...grpc.CallOption) error {
	name := c.name(method)
	for i := range c.desc.Methods {
		if m := &c.desc.Methods[i]; m.MethodName == name {
			return c.invoke(ctx, m, args, reply)
		}
	}
	return unknown(method)
}

func (c *Conn) invoke(ctx context.Context, m *grpc.MethodDesc, args, reply any) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(c.ctx, cancel)()
	request, err := encode(args)
	if err != nil {
		return err
	}
	var answer any
	var failed error
	done := make(chan struct{})
	err = c.serve(func() {
		defer close(done)
		answer, failed = m.Handler(c.service, ctx, func(m any) error { return decode(request, m) }, nil)
	})
	if err != nil {
		return err
	}
	<-done
	if failed != nil {
		return asStatus(failed)
	}
	response, err := encode(answer)
	if err != nil {
		return err
	}
	return decode(response, reply)
}

// NewStream implements grpc.ClientConnInterface.
func (c *Conn) NewStream(ctx context.Context, _ *grpc.StreamDesc, method string, _ ...grpc.CallOption) (grpc.ClientStream, error) {
	name := c.name(method)
	for i := range c.desc.Streams {
		if d := &c.desc.Streams[i]; d.StreamName == name {
			s := newStream(ctx, c.ctx)
			if err := c.serve(func() { s.finish(d.Handler(c.service, serverStream{s})) }); err != nil {
				s.finish(err)
				return nil, err
			}
			return clientStream{s}, nil
		}
	}
	return nil, unknown(method)
}

// name is the method's name within the service, empty if it is another's.
func (c *Conn) name(method string) string {
	name, _ := strings.CutPrefix(method, "/"+c.desc.ServiceName+"/")
	return name
}

// asStatus is what of a method's error arrives.
func asStatus(err error) error {
	if s, ok := status.FromError(err); ok {
		return s.Err()
	}
	return status.FromContextError(err).Err()
}

func unknown(method string) error {
	return status.Errorf(codes.Unimplemented, "unknown method %s", method)
}

func encode(m any) ([]byte, error) {
	message, ok := m.(proto.Message)
	if !ok {
		return nil, status.Errorf(codes.Internal, "%T is no message", m)
	}
	b, err := proto.Marshal(message)
	if err != nil {
		return nil, status.Error(codes.Internal, fmt.Sprintf("encode %T: %v", m, err))
	}
	return b, nil
}

func decode(b []byte, m any) error {
	message, ok := m.(proto.Message)
	if !ok {
		return status.Errorf(codes.Internal, "%T is no message", m)
	}
	if err := proto.Unmarshal(b, message); err != nil {
		return status.Error(codes.Internal, fmt.Sprintf("decode %T: %v", m, err))
	}
	return nil
}

var _ grpc.ClientConnInterface = (*Conn)(nil)
