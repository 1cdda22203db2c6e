package nearrpc

import (
	"context"
	"io"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// queue is how many messages wait each way; the next one's sender does too, as it
// would for a window of HTTP/2.
const queue = 8

// A stream is one call, of which each side has its view.
type stream struct {
	ctx      context.Context // ends with the client's, with the Conn, and after the handler
	cancel   context.CancelFunc
	up, down chan []byte

	closing sync.Once
	closed  chan struct{} // the client has no more to say
	done    chan struct{} // the handler has returned
	err     error         // what it returned, set before done is closed
}

func newStream(ctx, conn context.Context) *stream {
	s := &stream{up: make(chan []byte, queue), down: make(chan []byte, queue), closed: make(chan struct{}), done: make(chan struct{})}
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(conn, cancel)
	s.ctx, s.cancel = ctx, func() { stop(); cancel() }
	return s
}

// finish ends the call with what its handler returned.
func (s *stream) finish(err error) {
	if s.err = io.EOF; err != nil {
		s.err = asStatus(err)
	}
	close(s.done)
	s.cancel()
}

// ended is how the call has ended for its client: as the handler says, if that has
// returned.
func (s *stream) ended() error {
	select {
	case <-s.done:
		return s.err
	default:
		return status.FromContextError(s.ctx.Err()).Err()
	}
}

// A clientStream is the side that called.
type clientStream struct{ *stream }

func (s clientStream) SendMsg(m any) error {
	b, err := encode(m)
	if err != nil {
		return err
	}
	if s.ctx.Err() != nil {
		return io.EOF // RecvMsg knows why
	}
	select {
	case s.up <- b:
		return nil
	case <-s.ctx.Done():
		return io.EOF
	}
}

// RecvMsg returns what was sent before the end first.
func (s clientStream) RecvMsg(m any) error {
	select {
	case b := <-s.down:
		return decode(b, m)
	default:
	}
	select {
	case b := <-s.down:
		return decode(b, m)
	case <-s.ctx.Done():
	}
	select {
	case b := <-s.down:
		return decode(b, m)
	default:
		return s.ended()
	}
}

func (s clientStream) CloseSend() error {
	s.closing.Do(func() { close(s.closed) })
	return nil
}

func (s clientStream) Context() context.Context     { return s.ctx }
func (s clientStream) Header() (metadata.MD, error) { return nil, nil }
func (s clientStream) Trailer() metadata.MD         { return nil }

// A serverStream is the side of the handler.
type serverStream struct{ *stream }

func (s serverStream) SendMsg(m any) error {
	b, err := encode(m)
	if err != nil {
		return err
	}
	select {
	case s.down <- b:
		return nil
	case <-s.ctx.Done():
		return status.FromContextError(s.ctx.Err()).Err()
	}
}

// RecvMsg returns what was sent before CloseSend first.
func (s serverStream) RecvMsg(m any) error {
	select {
	case b := <-s.up:
		return decode(b, m)
	case <-s.ctx.Done():
		return status.FromContextError(s.ctx.Err()).Err()
	case <-s.closed:
	}
	select {
	case b := <-s.up:
		return decode(b, m)
	default:
		return io.EOF
	}
}

func (s serverStream) Context() context.Context     { return s.ctx }
func (s serverStream) SetHeader(metadata.MD) error  { return nil }
func (s serverStream) SendHeader(metadata.MD) error { return nil }
func (s serverStream) SetTrailer(metadata.MD)       {}

var (
	_ grpc.ClientStream = clientStream{}
	_ grpc.ServerStream = serverStream{}
)
