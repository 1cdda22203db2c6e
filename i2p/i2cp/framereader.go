package i2cp

import (
	"encoding/binary"
	"fmt"
	"io"
)

const (
	// firstBuffer is what a connection costs on which little happens, fullBuffer
	// what it may: a frame of the greatest size.
	firstBuffer = 2 << 10
	fullBuffer  = HeaderSize + maxBody
	// maxEmptyReads is how often in a row a connection may read nothing and give no
	// error.
	maxEmptyReads = 100
)

// A FrameReader splits what a connection brings into frames. Its buffer grows with
// what has come, not with what is announced, up to a frame's greatest size, so
// that a busy connection reads many frames at once; it allocates nothing after that.
type FrameReader struct {
	src io.Reader
	// buf[from:to] is what was read and not yet discarded.
	buf      []byte
	from, to int
	busy     bool  // the last read filled buf: there may be more
	last     int   // size of the frame that Next returned and has not yet discarded
	err      error // of src, behind what it read with it
}

// NewFrameReader reads frames off r.
func NewFrameReader(r io.Reader) *FrameReader { return &FrameReader{src: r} }

// ReadProtocolByte reads what a client sends before its first frame, and is
// for servers. Anything but ProtocolByte is ErrProtocol.
func (f *FrameReader) ReadProtocolByte() error {
	b, err := f.peek(1)
	if err != nil {
		return fmt.Errorf("read the protocol byte: %w", err)
	}
	f.from++
	if b[0] != ProtocolByte {
		return fmt.Errorf("protocol byte %#02x, want %#02x: %w", b[0], ProtocolByte, ErrProtocol)
	}
	return nil
}

// Next returns the next frame's type and body. The body is valid until the
// next call. Errors are final: io.EOF between two frames,
// io.ErrUnexpectedEOF within one, ErrTooBig, or the connection's own.
func (f *FrameReader) Next() (MessageType, []byte, error) {
	f.from += f.last
	f.last = 0
	header, err := f.peek(HeaderSize)
	if err != nil {
		return 0, nil, midFrame(err, len(header))
	}
	size := binary.BigEndian.Uint32(header)
	if size > maxBody {
		return 0, nil, fmt.Errorf("frame with a body of %d bytes: %w", size, ErrTooBig)
	}
	frame, err := f.peek(HeaderSize + int(size))
	if err != nil {
		return 0, nil, midFrame(err, len(frame))
	}
	f.last = len(frame)
	return MessageType(frame[4]), frame[HeaderSize:], nil
}

// peek returns the next n bytes, or with an error those that there are.
func (f *FrameReader) peek(n int) ([]byte, error) {
	for f.to-f.from < n {
		if f.err == nil {
			f.fill()
			continue
		}
		err := f.err
		f.err = nil // it may pass, as a deadline does
		return f.buf[f.from:f.to], err
	}
	return f.buf[f.from : f.from+n], nil
}

// fill reads once, or sets err.
func (f *FrameReader) fill() {
	f.makeRoom()
	for range maxEmptyReads {
		n, err := f.src.Read(f.buf[f.to:])
		f.to += n
		f.busy, f.err = f.to == len(f.buf), err
		if n > 0 || err != nil {
			return
		}
	}
	f.err = io.ErrNoProgress
}

// makeRoom has buf begin with what is left in it, and grow if that fills it or
// what came last did.
func (f *FrameReader) makeRoom() {
	left := f.to - f.from
	target := f.buf
	if (f.busy || left == len(f.buf)) && len(f.buf) < fullBuffer {
		target = make([]byte, min(max(firstBuffer, 2*len(f.buf)), fullBuffer))
	}
	copy(target, f.buf[f.from:f.to])
	f.buf, f.from, f.to = target, 0, left
}

// midFrame makes an end of input unexpected if some bytes of a frame came.
func midFrame(err error, got int) error {
	if err == io.EOF && got > 0 {
		return io.ErrUnexpectedEOF
	}
	return err
}
