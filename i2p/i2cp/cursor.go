package i2cp

import (
	"encoding/binary"
	"fmt"
	"time"

	"github.com/onelease/onelease/i2p"
)

// A cursor reads one field after the other off a body. After the first error
// it yields zeros, so that a parser checks once, at its end. Bytes after the
// last field are ignored: later versions of I2CP add fields there.
type cursor struct {
	rest []byte
	err  error
}

func (c *cursor) take(n int) []byte {
	if c.err == nil && len(c.rest) < n {
		c.err = fmt.Errorf("%d bytes left, want %d: %w", len(c.rest), n, i2p.ErrTruncated)
	}
	if c.err != nil {
		return nil
	}
	taken := c.rest[:n:n]
	c.rest = c.rest[n:]
	return taken
}

func (c *cursor) uint8() uint8 {
	if b := c.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (c *cursor) uint16() uint16 {
	if b := c.take(2); b != nil {
		return binary.BigEndian.Uint16(b)
	}
	return 0
}

func (c *cursor) uint32() uint32 {
	if b := c.take(4); b != nil {
		return binary.BigEndian.Uint32(b)
	}
	return 0
}

// date reads a Date: milliseconds in 8 bytes, 0 for no date.
func (c *cursor) date() time.Time {
	if b := c.take(8); b != nil {
		return dateFrom(c, binary.BigEndian.Uint64(b))
	}
	return time.Time{}
}

// maxMillis is far in the future and still safe to reckon with in nanoseconds.
const maxMillis = 1 << 42

func dateFrom(c *cursor, ms uint64) time.Time {
	switch {
	case ms == 0:
		return time.Time{}
	case ms > maxMillis:
		c.err = fmt.Errorf("date of %d ms: %w", ms, i2p.ErrInvalid)
		return time.Time{}
	}
	return time.UnixMilli(int64(ms))
}

// millis is what a date field holds: 0 for the zero time.
func millis(t time.Time) uint64 {
	if t.IsZero() {
		return 0
	}
	return uint64(t.UnixMilli())
}

// sized reads 4 bytes of length and that many bytes.
func (c *cursor) sized() []byte {
	n := c.uint32()
	if n > maxBody {
		n = maxBody + 1 // more than any body: take fails
	}
	return c.take(int(n))
}

// text reads a String: 1 byte of length and that many bytes.
func (c *cursor) text() string { return string(c.take(int(c.uint8()))) }

func (c *cursor) hash() i2p.Hash {
	if b := c.take(i2p.HashSize); b != nil {
		return i2p.Hash(b)
	}
	return i2p.Hash{}
}

func (c *cursor) destination() i2p.Destination {
	if c.err != nil {
		return i2p.Destination{}
	}
	d, n, err := i2p.ParseDestination(c.rest)
	c.err = err
	c.rest = c.rest[n:]
	return d
}

func (c *cursor) mapping() i2p.Mapping {
	if c.err != nil {
		return nil
	}
	m, n, err := i2p.ParseMapping(c.rest)
	c.err = err
	c.rest = c.rest[n:]
	return m
}

// optionalMapping reads a mapping if there is anything left.
func (c *cursor) optionalMapping() i2p.Mapping {
	if len(c.rest) == 0 {
		return nil
	}
	return c.mapping()
}

// done returns the first error, with what was being parsed.
func (c *cursor) done(t MessageType) error {
	if c.err == nil {
		return nil
	}
	return fmt.Errorf("parse %v: %w", t, c.err)
}

const maxText = 255

// appendText appends a String; more than 255 bytes are ErrTooBig.
func appendText(b []byte, s string) ([]byte, error) {
	if len(s) > maxText {
		return b, fmt.Errorf("%.20q... is of %d bytes, at most %d fit: %w", s, len(s), maxText, ErrTooBig)
	}
	return append(append(b, byte(len(s))), s...), nil
}
