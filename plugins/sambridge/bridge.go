package sambridge

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/sam"
)

// A Bridge serves SAM clients. Its methods may be called by many goroutines.
type Bridge struct {
	cfg      Config
	log      *slog.Logger
	sessions registry
	crowd    crowd
	udp      udp
	peers    peerCache
	names    sam.NameCache
	stats    counters
	failures failures
	checking chan struct{} // has an element per password that is being checked
	// auth asks for a password on the loopback too.
	auth atomic.Bool
	// dialServer connects to servers of STREAM FORWARD.
	dialServer func(ctx context.Context, network, addr string) (net.Conn, error)
	// ctx ends with Run.
	ctx    context.Context
	cancel context.CancelFunc
	group  sync.WaitGroup
}

// New returns a Bridge that does nothing until Run. An error is ErrConfig.
func New(cfg Config) (*Bridge, error) {
	cfg, err := cfg.check()
	if err != nil {
		return nil, err
	}
	b := &Bridge{cfg: cfg, log: cfg.Logger.With("part", "sambridge")}
	b.sessions.byKey, b.sessions.closing = map[key]*session{}, map[i2p.Hash]chan struct{}{}
	b.udp.b = b
	b.crowd = newCrowd(cfg.Limits.Conns, cfg.Limits.Young)
	b.dialServer = new(net.Dialer).DialContext
	b.checking = make(chan struct{}, maxChecks)
	b.auth.Store(cfg.Auth)
	b.ctx, b.cancel = context.WithCancel(context.Background())
	return b, nil
}

// Run serves until ctx ends, which is no error, and then ends all sessions. It can be
// called once.
func (b *Bridge) Run(ctx context.Context) error {
	defer b.group.Wait()
	defer b.cancel()
	stop := context.AfterFunc(ctx, b.cancel)
	defer stop()
	stopPackets, err := b.servePackets()
	if err != nil {
		return err
	}
	defer stopPackets()
	failed := make(chan error, len(b.cfg.Listeners))
	for _, ln := range b.cfg.Listeners {
		defer ln.Close()
		go func() { failed <- b.accept(ln) }()
	}
	select {
	case <-b.ctx.Done():
		return nil
	case err := <-failed:
		return err
	}
}

// accept serves the connections of a listener until that is closed.
func (b *Bridge) accept(ln net.Listener) error {
	local := onLoopback(ln.Addr())
	for try := time.Duration(1); ; {
		nc, err := ln.Accept()
		switch {
		case err == nil:
			try = 1
			b.group.Go(func() { b.serve(nc, local) })
		case errors.Is(err, net.ErrClosed) || b.ctx.Err() != nil:
			return nil
		case try == maxTries:
			return fmt.Errorf("accept SAM clients on %v: %w", ln.Addr(), err)
		default: // such as too many open files: that passes
			b.stats.refused.Add(1)
			time.Sleep(try * 20 * time.Millisecond)
			try++
		}
	}
}

// maxTries is how often in a row Accept may fail: for 25 s in all.
const maxTries = 50

// serve serves one connection to its end.
func (b *Bridge) serve(nc net.Conn, local bool) {
	if b.cfg.TLS != nil {
		nc = tls.Server(nc, b.cfg.TLS)
	}
	c := newConn(b, nc, local)
	if !b.crowd.enter(c) {
		c.turnAway()
		return
	}
	defer b.crowd.leave(c)
	c.unwatch = context.AfterFunc(b.ctx, func() { nc.SetReadDeadline(longAgo) })
	defer c.unwatch()
	c.run()
}

// longAgo as a deadline interrupts what waits.
var longAgo = time.Unix(1, 0)
