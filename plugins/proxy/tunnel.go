package proxy

import (
	"context"
	"io"
	"net"
	"sync"
	"time"

	"github.com/onelease/onelease/backend"
	"github.com/onelease/onelease/i2p"
)

// tunnel passes the streams of ln on to the target until ln is closed.
func (p *proxy) tunnel(ctx context.Context, ln net.Listener) error {
	streams, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	var group sync.WaitGroup
	for {
		conn, err := ln.Accept()
		if err != nil {
			defer time.AfterFunc(backend.TimeToEnd(ctx), cancel).Stop()
			group.Wait()
			return err
		}
		remote, _ := conn.RemoteAddr().(*i2p.Addr)
		leave, ok := p.turns.take(remote)
		if !ok {
			backend.Reset(conn)
			continue
		}
		group.Go(func() {
			defer leave()
			p.connect(streams, conn)
		})
	}
}

// connect joins a stream to a connection to the target, until both directions have
// ended, one of them fails, or ctx ends.
func (p *proxy) connect(ctx context.Context, remote net.Conn) {
	local, err := p.target.dial(ctx)
	if err != nil {
		p.health.fails(err)
		backend.Reset(remote)
		return
	}
	p.health.works()
	abort := func() {
		backend.Reset(remote)
		if tcp, ok := local.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0) // a reset, so that the target does not take what it has for all
		}
		local.Close()
	}
	defer context.AfterFunc(ctx, abort)()
	ended := make(chan error, 2)
	go func() { ended <- forward(local, remote) }()
	go func() { ended <- forward(remote, local) }()
	for range 2 {
		if err := <-ended; err != nil {
			p.health.log.Debug("stream broke off", "error", err)
			abort()
		}
	}
	remote.Close()
	local.Close()
}

// forward copies until from has ended, and then ends that direction of to.
func forward(to, from net.Conn) error {
	if _, err := io.Copy(to, from); err != nil {
		return err
	}
	if half, ok := to.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return to.Close()
}
