package sam

import (
	"bufio"
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
)

// ErrLineTooLong says that a peer sent a line of more than MaxLine bytes.
var ErrLineTooLong = errors.New("line too long")

// A Reader reads the lines and payloads of a control socket in a buffer of
// fixed size: whatever the peer sends, it does not grow.
type Reader struct{ buf *bufio.Reader }

// NewReader returns a Reader on r.
func NewReader(r io.Reader) *Reader {
	return &Reader{buf: bufio.NewReaderSize(r, MaxLine+MaxPayload)}
}

// Line returns the next line without its newline, valid until the next call
// and the caller's to change. It fails with ErrLineTooLong as soon as there
// are MaxLine bytes without a newline.
func (r *Reader) Line() ([]byte, error) {
	for have := 1; ; {
		if _, err := r.buf.Peek(have); err != nil {
			return nil, err
		}
		b, _ := r.buf.Peek(min(r.buf.Buffered(), MaxLine))
		if n := bytes.IndexByte(b[have-1:], '\n'); n >= 0 {
			n += have - 1
			r.buf.Discard(n + 1)
			return bytes.TrimSuffix(b[:n], []byte{'\r'}), nil
		}
		if len(b) == MaxLine {
			return nil, fmt.Errorf("no newline in %d bytes: %w", MaxLine, ErrLineTooLong)
		}
		have = len(b) + 1
	}
}

// Payload returns the next n bytes, valid until the next call. The caller has
// checked that n is at most MaxPayload.
func (r *Reader) Payload(n int) ([]byte, error) {
	b, err := r.buf.Peek(n)
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return nil, err
	}
	r.buf.Discard(n)
	return b, nil
}
