package backend

import (
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/onelease/onelease/i2p/streaming"
)

// serve has a service serve on r's Host; stop ends its ctx and returns its error.
func (r *rig) serve(s Service) (stop func() error) {
	ctx, cancel := context.WithCancel(r.t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, r.host) }()
	synctest.Wait()
	return func() error {
		cancel()
		return <-done
	}
}

// greetAll accepts streams and greets on them.
func greetAll(_ context.Context, ln net.Listener) error {
	for {
		conn, err := ln.Accept()
		if err != nil {
			return err
		}
		io.WriteString(conn, "hello")
		conn.Close()
	}
}

// repeat answers datagrams with themselves.
func repeat(_ context.Context, conn net.PacketConn) error {
	buffer := make([]byte, 1000)
	for {
		n, from, err := conn.ReadFrom(buffer)
		if err != nil {
			return err
		}
		conn.WriteTo(buffer[:n], from)
	}
}

func TestServicesShareADestination(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newStreamRig(t, 1, nil)
		defer r.stop()
		done := ServiceFunc(func(context.Context, Node) error { return nil })
		stop := r.serve(Services(Listener(80, greetAll), done, Packets(Datagram, 7, repeat)))
		remote := r.net.NewRemote(0, false)
		conn, err := remote.Stack.Dial(t.Context(), streaming.NewRemote(r.keys.Destination), 0, 80)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(conn); string(got) != "hello" || err != nil {
			t.Errorf("%q, %v", got, err)
		}
		conn.Close()
		r.hear(0, r.remote()) // a datagram to port 7
		if s := r.host.Stats(); s.Frontends[0].Out == 0 || s.Unclaimed != 0 {
			t.Errorf("%+v", s)
		}
		if err := stop(); err != nil {
			t.Errorf("told to end: %v", err)
		}
		if err := r.serve(Listener(80, greetAll))(); err != nil {
			t.Errorf("the port is still open: %v", err)
		}
	})
}

func TestServicesEndTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 1, nil)
		defer r.stop()
		broken := errors.New("broken")
		fails := ServiceFunc(func(ctx context.Context, _ Node) error {
			time.Sleep(time.Minute)
			return broken
		})
		for name, test := range map[string]struct {
			service Service
			want    error
		}{
			"one fails":       {Services(Listener(80, greetAll), fails, Packets(Raw, 1, repeat)), broken},
			"same port":       {Services(Listener(80, greetAll), Listener(80, greetAll)), streaming.ErrPortInUse},
			"same kind":       {Services(Packets(Raw, 1, repeat), Packets(Raw, 1, repeat)), ErrPortInUse},
			"all are done":    {Services(ServiceFunc(func(context.Context, Node) error { return nil })), nil},
			"there are none":  {Services(), nil},
			"serve has ended": {Listener(80, func(context.Context, net.Listener) error { return nil }), nil},
			"serve fails":     {Listener(80, func(context.Context, net.Listener) error { return broken }), broken},
			"its own ErrClosed": {Packets(Raw, 1, func(context.Context, net.PacketConn) error {
				return net.ErrClosed
			}), net.ErrClosed},
		} {
			if err := test.service.Serve(t.Context(), r.host); !errors.Is(err, test.want) {
				t.Errorf("%s: %v, want %v", name, err, test.want)
			}
		}
	})
}
