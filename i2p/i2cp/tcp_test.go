package i2cp

import (
	"context"
	"errors"
	"net"
	"testing"
)

// listener is a router's I2CP port on this machine.
func listener(t *testing.T) net.Listener {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func TestReceiveOverTCPDoesNotAllocate(t *testing.T) {
	l := listener(t)
	go func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		b, err := inbound()[0].AppendFrame(nil)
		for err == nil {
			_, err = conn.Write(b)
		}
	}()
	c := New(Config{Addr: l.Addr().String()}, &counter{})
	s, err := c.open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	receive(t, s)
	if n := testing.AllocsPerRun(1000, func() { receive(t, s) }); n > 0 {
		t.Errorf("%v allocations per frame", n)
	}
}

func TestNothingListens(t *testing.T) {
	l := listener(t)
	l.Close()
	ctx, cancel := context.WithCancel(t.Context())
	h := &quitter{cancel: cancel}
	if err := New(Config{Addr: l.Addr().String()}, h).Run(ctx); err != context.Canceled {
		t.Errorf("Run returned %v", err)
	}
	if !errors.Is(h.err, ErrUnreachable) {
		t.Errorf("down with %v", h.err)
	}
}

// quitter is a Handler that ends Run when there is no session.
type quitter struct {
	counter
	cancel context.CancelFunc
	err    error
}

func (q *quitter) SessionDown(err error) { q.err = err; q.cancel() }
