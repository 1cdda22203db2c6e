// Package accept has the loop of a server that serves each connection in a
// goroutine of its own. It knows nothing of what is served.
//
//	err := accept.Each(ctx, ln, "accept SAM clients", func(ctx context.Context, nc net.Conn) { ... })
package accept

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"
)

const (
	// tries is how often in a row Accept may fail: for about 2 s in all.
	tries = 10
	pause = 40 * time.Millisecond
)

// Each calls serve for each connection of ln until ctx ends, with a context that
// ends with it. Then it closes ln, waits until all calls have returned, and returns
// nil. If ln fails for good it does the same, and returns an error that begins with
// what. The connections are serve's to close.
func Each(ctx context.Context, ln net.Listener, what string, serve func(ctx context.Context, nc net.Conn)) error {
	ctx, cancel := context.WithCancel(ctx)
	defer context.AfterFunc(ctx, func() { ln.Close() })()
	var group sync.WaitGroup
	defer group.Wait()
	defer ln.Close()
	defer cancel() // before the Wait
	for {
		nc, err := next(ctx, ln)
		if ctx.Err() != nil {
			if err == nil {
				nc.Close()
			}
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s on %v: %w", what, ln.Addr(), err)
		}
		group.Go(func() { serve(ctx, nc) })
	}
}

// next rides out errors that pass, such as too many open files.
func next(ctx context.Context, ln net.Listener) (net.Conn, error) {
	for try := 1; ; try++ {
		nc, err := ln.Accept()
		if err == nil || errors.Is(err, net.ErrClosed) || try == tries {
			return nc, err
		}
		select {
		case <-ctx.Done():
			return nil, err
		case <-time.After(time.Duration(try) * pause):
		}
	}
}
