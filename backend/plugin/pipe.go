package plugin

import (
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/internal/pluginwire"
)

// acceptStream hands over a stream that the plugin was told of.
func (i *instance) acceptStream(conn *pluginwire.Conn, id uint64) {
	stream, err := i.s.ports.claim(i, id)
	if err != nil {
		conn.Refuse(err)
		return
	}
	i.join(conn, stream)
}

// dial begins a stream for the plugin.
func (i *instance) dial(conn *pluginwire.Conn) {
	address, limit, err := conn.ReadDial()
	if err != nil {
		i.log.Debug("the plugin's dial cannot be read", "error", err)
		return
	}
	ctx, cancel := withLimit(i.ctx, limit)
	defer cancel()
	ctx, unwatch := conn.Watch(ctx)
	stream, err := i.s.node.DialContext(ctx, "", address)
	unwatch()
	if err != nil {
		conn.Refuse(err)
		return
	}
	i.join(conn, stream)
}

// join moves bytes both ways until a stream has ended at both ends.
func (i *instance) join(conn *pluginwire.Conn, stream net.Conn) {
	t := &i.traffic
	t.streams.Add(1)
	t.streamsOpen.Add(1)
	defer t.streamsOpen.Add(-1)
	defer stream.Close()
	if err := conn.Begin(addrOf(stream.LocalAddr()), addrOf(stream.RemoteAddr())); err != nil {
		t.broken.Add(1)
		reset(stream)
		return
	}
	p := pipe{conn: conn, stream: stream}
	var out sync.WaitGroup
	out.Go(func() { p.toPlugin(&t.bytesIn) })
	p.fromPlugin(&t.bytesOut)
	out.Wait()
	if p.broken.Load() {
		t.broken.Add(1)
	}
}

// addrOf is an address as it crosses; nil if it is none of I2P.
func addrOf(a net.Addr) *i2p.Addr {
	addr, _ := a.(*i2p.Addr)
	return addr
}

// A pipe is a stream and its connection to the plugin. What breaks one breaks the other.
type pipe struct {
	conn   *pluginwire.Conn
	stream net.Conn
	broken atomic.Bool
	over   atomic.Bool // the plugin has closed its end, and wants nothing more
}

func (p *pipe) toPlugin(count *atomic.Uint64) {
	readErr, writeErr := move(p.conn, p.stream, count)
	switch {
	case readErr == io.EOF:
		p.conn.CloseWrite()
	case readErr != nil:
		p.conn.Abort(readErr)
		p.broke()
	case !errors.Is(writeErr, net.ErrClosed): // else it was closed, which fromPlugin sees
		reset(p.stream)
		p.broke()
	}
}

func (p *pipe) fromPlugin(count *atomic.Uint64) {
	readErr, writeErr := move(p.stream, p.conn, count)
	switch {
	case writeErr != nil:
		p.conn.Abort(writeErr)
		p.broke()
	case readErr != io.EOF:
		reset(p.stream)
		p.broke()
	default:
		p.endOfPlugin()
	}
}

// endOfPlugin is for when the plugin has said END. If it then also closes the connection, it
// wants nothing that still comes.
func (p *pipe) endOfPlugin() {
	closeWrite(p.stream)
	if err := p.conn.AwaitClose(); err != nil {
		reset(p.stream)
		p.broke()
		return
	}
	p.over.Store(true)
	p.stream.Close()
}

// broke notes that a stream broke, which it no longer can once it is over.
func (p *pipe) broke() {
	if !p.over.Load() {
		p.broken.Store(true)
	}
}

// buffers are for move. Two are in use for each stream.
var buffers = sync.Pool{New: func() any { return new([32 << 10]byte) }}

// move copies until reading or writing fails, and returns the error of either.
func move(to io.Writer, from io.Reader, count *atomic.Uint64) (readErr, writeErr error) {
	buffer := buffers.Get().(*[32 << 10]byte)
	defer buffers.Put(buffer)
	for {
		n, readErr := from.Read(buffer[:])
		if n > 0 {
			if _, err := to.Write(buffer[:n]); err != nil {
				return nil, err
			}
			count.Add(uint64(n))
		}
		if readErr != nil {
			return readErr, nil
		}
	}
}

// reset ends a stream at once, so that its remote does not take it for a whole one.
func reset(stream net.Conn) {
	if r, ok := stream.(interface{ Reset() error }); ok {
		r.Reset()
		return
	}
	stream.Close()
}

func closeWrite(stream net.Conn) {
	if c, ok := stream.(interface{ CloseWrite() error }); ok {
		c.CloseWrite()
	}
}
