package accept

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
)

// A script is a listener that gives what it holds, and then waits for its end.
type script struct {
	steps  []any // net.Conn or error
	closed chan struct{}
}

func (s *script) Accept() (net.Conn, error) {
	if len(s.steps) == 0 {
		<-s.closed
		return nil, net.ErrClosed
	}
	step := s.steps[0]
	s.steps = s.steps[1:]
	if nc, ok := step.(net.Conn); ok {
		return nc, nil
	}
	return nil, step.(error)
}

func (s *script) Close() error {
	select {
	case <-s.closed:
	default:
		close(s.closed)
	}
	return nil
}

func (s *script) Addr() net.Addr { return &net.TCPAddr{Port: 7} }

var errFull = errors.New("too many open files")

func failures(n int) (steps []any) {
	for range n {
		steps = append(steps, errFull)
	}
	return steps
}

// What passes is ridden out, and the end waits for what is served.
func TestEach(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		here, there := net.Pipe()
		ln := &script{steps: append(failures(tries-1), there), closed: make(chan struct{})}
		ctx, cancel := context.WithCancel(t.Context())
		served, ended := make(chan struct{}), make(chan error)
		go func() {
			ended <- Each(ctx, ln, "accept", func(ctx context.Context, nc net.Conn) {
				io.WriteString(nc, "x")
				<-ctx.Done()
				nc.Close()
				<-served
			})
		}()
		if _, err := here.Read(make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
		cancel()
		synctest.Wait()
		select {
		case err := <-ended:
			t.Errorf("ended before what it serves: %v", err)
		default:
		}
		close(served)
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

func TestEachFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ln := &script{steps: failures(tries), closed: make(chan struct{})}
		err := Each(t.Context(), ln, "accept SAM clients", nil)
		if !errors.Is(err, errFull) || !strings.HasPrefix(err.Error(), "accept SAM clients on :7") {
			t.Errorf("error %v", err)
		}
		<-ln.closed // by Each
	})
}

// A connection that comes as the end does is closed, not served.
func TestEachAfterTheEnd(t *testing.T) {
	here, there := net.Pipe()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := Each(ctx, &script{steps: []any{there}, closed: make(chan struct{})}, "accept", nil); err != nil {
		t.Error(err)
	}
	if _, err := here.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("the connection is open: %v", err)
	}
}
