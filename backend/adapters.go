package backend

import (
	"context"
	"errors"
	"fmt"
	"net"

	"golang.org/x/sync/errgroup"
)

// Listener is a Service that opens a port for streams and has serve accept them.
// The listener is closed when ctx ends, or serve has returned. That Accept fails
// then is no error.
func Listener(port uint16, serve func(ctx context.Context, ln net.Listener) error) Service {
	return ServiceFunc(func(ctx context.Context, node Node) error {
		ln, err := node.Listen(port)
		if err != nil {
			return err // it names the port
		}
		defer ln.Close()
		defer context.AfterFunc(ctx, func() { ln.Close() })()
		return unlessEnded(ctx, serve(ctx, ln))
	})
}

// Packets is a Service that opens a port for datagrams of one kind and has serve
// read and answer them. The connection is closed when ctx ends, or serve has
// returned. That ReadFrom fails then is no error.
func Packets(kind Kind, port uint16, serve func(ctx context.Context, conn net.PacketConn) error) Service {
	return ServiceFunc(func(ctx context.Context, node Node) error {
		conn, err := node.ListenPacket(kind, port)
		if err != nil {
			return err
		}
		defer conn.Close()
		defer context.AfterFunc(ctx, func() { conn.Close() })()
		return unlessEnded(ctx, serve(ctx, conn))
	})
}

// unlessEnded drops the error of using what was closed since ctx has ended.
func unlessEnded(ctx context.Context, err error) error {
	if ctx.Err() != nil && errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// Reset ends a stream at once, so that its remote reads an error in place of the
// end of all there was. A connection that cannot do so is closed.
func Reset(conn net.Conn) {
	if r, ok := conn.(interface{ Reset() error }); ok {
		_ = r.Reset()
	}
	_ = conn.Close()
}

// Services is a Service made of several that share a Destination. Each must open
// ports of its own.
//
// It ends when all have ended, so one that has done its work leaves the others
// alone; with none at all it ends at once. An error of one ends all: a
// Destination that half of its services have left looks as if it worked, and
// whoever restarts it would see no reason to. It returns that error.
func Services(services ...Service) Service {
	return ServiceFunc(func(ctx context.Context, node Node) error {
		group, ctx := errgroup.WithContext(ctx)
		for i, s := range services {
			group.Go(func() error {
				if err := s.Serve(ctx, node); err != nil {
					return fmt.Errorf("%d of %d: %w", i+1, len(services), err)
				}
				return nil
			})
		}
		return group.Wait()
	})
}
