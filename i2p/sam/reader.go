package sam

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

const (
	// MaxLine is the longest line that is read, in bytes with its newline.
	// The longest useful one is a SESSION CREATE with private keys and many
	// options, about 3 KiB.
	MaxLine = 8 << 10
	// MaxPayload is the largest packet in bytes ("V3 Datagram MTU
	// Considerations"). What I2CP takes is a little less.
	MaxPayload = 64 << 10

	// firstBuffer is what a connection costs that says little.
	firstBuffer = 1 << 10
	maxBuffer   = MaxLine + MaxPayload
	// maxEmptyReads is how often in a row a connection may read nothing and
	// give no error.
	maxEmptyReads = 100
)

// ErrLineTooLong says that a peer sent a line of more than MaxLine bytes.
var ErrLineTooLong = errors.New("line too long")

// A Reader reads the lines and payloads of a control socket. Its buffer is
// small at first and grows with what has come, never with what is announced:
// to MaxLine for a line, and to 72 KiB on a connection that has payloads. There
// it stays, so that packets are read many at a time and nothing is allocated.
type Reader struct {
	src io.Reader
	// buf[from:to] is what was read from src and not yet from the Reader.
	buf      []byte
	from, to int
	err      error // of src, behind what it read with it
	payloads bool
}

// NewReader returns a Reader on r.
func NewReader(r io.Reader) *Reader { return &Reader{src: r} }

// Line returns the next line without its newline, valid until the next call
// and the caller's to change. It fails with ErrLineTooLong as soon as there
// are MaxLine bytes without a newline. After an error of the connection that
// passes, such as a deadline, it may be called again: nothing is lost.
func (r *Reader) Line() ([]byte, error) {
	for seen := 0; ; {
		b := r.buf[r.from:min(r.to, r.from+MaxLine)]
		if n := bytes.IndexByte(b[seen:], '\n'); n >= 0 {
			n += seen
			r.from += n + 1
			return bytes.TrimSuffix(b[:n], []byte{'\r'}), nil
		}
		if len(b) == MaxLine {
			return nil, fmt.Errorf("no newline in %d bytes: %w", MaxLine, ErrLineTooLong)
		}
		seen = len(b)
		if err := r.fill(); err != nil {
			return nil, err
		}
	}
}

// Payload returns the next n bytes, valid until the next call. The caller has
// checked that n is at most MaxPayload.
func (r *Reader) Payload(n int) ([]byte, error) {
	r.payloads = true
	for r.to-r.from < n {
		if err := r.fill(); err == io.EOF {
			return nil, io.ErrUnexpectedEOF
		} else if err != nil {
			return nil, err
		}
	}
	b := r.buf[r.from : r.from+n]
	r.from += n
	return b, nil
}

// Detach returns what was read from the connection and is in no line or payload
// yet, and lets go of the buffer: the connection is from now on the caller's to
// read, as after a STREAM CONNECT. What the last call returned stays valid.
func (r *Reader) Detach() []byte {
	rest := bytes.Clone(r.buf[r.from:r.to])
	r.buf, r.from, r.to = nil, 0, 0
	return rest
}

// ReadAhead waits for more to come than is there already, and for nothing else: the
// next Line returns it. It is for who waits for something else meanwhile, and wants to
// know when the connection ends. With MaxLine bytes there it fails with ErrLineTooLong.
func (r *Reader) ReadAhead() error {
	if r.to-r.from >= MaxLine {
		return fmt.Errorf("%d bytes wait to be read: %w", r.to-r.from, ErrLineTooLong)
	}
	return r.fill()
}

// fill reads once more, at least a byte, behind what is there.
func (r *Reader) fill() error {
	if err := r.err; err != nil {
		r.err = nil
		return err
	}
	r.makeRoom()
	for range maxEmptyReads {
		n, err := r.src.Read(r.buf[r.to:])
		r.to += n
		switch {
		case n > 0:
			r.err = err
			return nil
		case err != nil:
			return err
		}
	}
	return io.ErrNoProgress
}

// makeRoom moves what is there to the start of the buffer, or into one of twice
// the size if it is full of one line or payload. Where payloads come a full
// buffer says that there is more to be had at a time.
func (r *Reader) makeRoom() {
	full := r.to == len(r.buf)
	if full && len(r.buf) < maxBuffer && (r.payloads || r.from == 0) {
		grown := make([]byte, max(firstBuffer, min(2*len(r.buf), maxBuffer)))
		r.from, r.to = 0, copy(grown, r.buf[r.from:r.to])
		r.buf = grown
		return
	}
	if r.from > 0 {
		r.from, r.to = 0, copy(r.buf, r.buf[r.from:r.to])
	}
}
