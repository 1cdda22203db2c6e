package echo

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"time"

	"github.com/onelease/onelease/backend"
)

// idle is how long a stream may stand still.
const idle = 10 * time.Minute

// echoStreams answers until ln is closed, and returns when all streams have ended.
func (s Service) echoStreams(ctx context.Context, ln net.Listener) error {
	var group sync.WaitGroup
	defer group.Wait()
	places := make(chan struct{}, s.MaxStreams)
	for {
		conn, err := ln.Accept()
		if err != nil {
			return err
		}
		select {
		case places <- struct{}{}:
			group.Go(func() {
				echoStream(ctx, conn)
				<-places
			})
		default:
			backend.Reset(conn)
		}
	}
}

// echoStream answers until the remote ends the stream, or ctx does.
func echoStream(ctx context.Context, conn net.Conn) {
	defer context.AfterFunc(ctx, func() { backend.Reset(conn) })()
	buffer := make([]byte, 16<<10)
	for {
		_ = conn.SetDeadline(time.Now().Add(idle))
		n, err := conn.Read(buffer)
		if _, failed := conn.Write(buffer[:n]); failed != nil {
			err = failed
		}
		if errors.Is(err, io.EOF) {
			conn.Close() // what was written still goes out
			return
		}
		if err != nil {
			backend.Reset(conn)
			return
		}
	}
}
