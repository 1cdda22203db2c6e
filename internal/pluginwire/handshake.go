package pluginwire

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"github.com/onelease/onelease/i2p"
)

// AcceptStream takes the stream of an Incoming: the plugin's side.
func AcceptStream(ctx context.Context, socket string, token Token, stream uint64) (*Conn, error) {
	return openStream(ctx, socket, Preface{token, Accepts, stream}.AppendTo(nil))
}

// DialStream begins a stream to "host:port", until ctx ends: the plugin's side.
// Its error is the host's, as an *Error, or that of ctx.
func DialStream(ctx context.Context, socket string, token Token, address string) (*Conn, error) {
	var limit time.Duration
	if by, ok := ctx.Deadline(); ok {
		limit = max(time.Until(by), time.Millisecond)
	}
	if len(address) > maxControl-8 {
		return nil, fmt.Errorf("address of %d bytes: %w", len(address), i2p.ErrInvalid)
	}
	hello := Preface{Token: token, Role: Dials}.AppendTo(nil)
	return openStream(ctx, socket, appendFrame(hello, typeDial, func(b []byte) []byte {
		return appendDial(b, address, limit)
	}))
}

func openStream(ctx context.Context, socket string, hello []byte) (*Conn, error) {
	var conn *Conn
	err := open(ctx, socket, hello, func(raw net.Conn) error {
		conn = NewConn(raw)
		content, err := conn.answer()
		if err == nil {
			conn.local, conn.remote, err = parseEnds(content)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return conn, nil
}

// parseEnds reads the content of a stream's OK.
func parseEnds(b []byte) (local, remote *i2p.Addr, err error) {
	local, n, err := ParseAddr(b)
	if err == nil {
		remote, _, err = ParseAddr(b[n:])
	}
	return local, remote, err
}

// open connects, sends hello and has await read the answer. It ends when ctx does.
func open(ctx context.Context, socket string, hello []byte, await func(net.Conn) error) error {
	var d net.Dialer
	raw, err := d.DialContext(ctx, "unix", socket)
	if err != nil {
		return err // as it is, since it may be Temporary
	}
	stop := context.AfterFunc(ctx, func() { raw.Close() })
	if _, err = raw.Write(hello); err == nil {
		err = await(raw)
	}
	if !stop() {
		return context.Cause(ctx)
	}
	if err != nil {
		raw.Close()
	}
	return err
}

// answer reads the host's first frame: the content of OK, good until the next
// read, or the error of ERROR.
func (c *Conn) answer() ([]byte, error) { return c.first(typeOK) }

// first reads the first frame, which is to be of type want or ERROR.
func (c *Conn) first(want frameType) ([]byte, error) {
	b, err := c.reader.Peek(headerSize)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBroken, err)
	}
	t, n, err := parseHeader(b)
	if err == nil && t != want && t != typeError {
		err = fmt.Errorf("first frame is of type %d, want %d: %w", t, want, ErrProtocol)
	}
	if err != nil {
		return nil, err
	}
	if b, err = c.reader.Peek(headerSize + n); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBroken, err)
	}
	c.reader.Discard(len(b))
	if t == typeError {
		return nil, parseReset(b[headerSize:])
	}
	return b[headerSize:], nil
}

// ReadDial reads whom a connection that Dials is for: the host's side. A limit of
// 0 is none.
func (c *Conn) ReadDial() (address string, limit time.Duration, err error) {
	b, err := c.first(typeDial)
	if err != nil {
		return "", 0, err
	}
	return parseDial(b)
}

// Watch returns a context that also ends when the plugin gives up: the host's side,
// between ReadDial and Begin. The function that it returns must be called before
// anything else.
func (c *Conn) Watch(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if _, err := c.reader.Peek(1); err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			cancel(ErrBroken)
		}
	}()
	return ctx, func() {
		c.raw.SetReadDeadline(time.Unix(1, 0))
		<-ended
		c.raw.SetReadDeadline(time.Time{})
		cancel(nil)
	}
}

// Begin says OK: the host's side. After it c is a stream.
func (c *Conn) Begin(local, remote *i2p.Addr) error {
	c.local, c.remote = local, remote
	_, err := c.raw.Write(appendFrame(nil, typeOK, func(b []byte) []byte {
		return AppendAddr(AppendAddr(b, local), remote)
	}))
	return err
}

// Refuse says ERROR and closes the connection: the host's side.
func (c *Conn) Refuse(err error) error {
	defer c.release()
	_, failed := c.raw.Write(appendFrame(nil, typeError, Of(err).AppendTo))
	return failed
}
