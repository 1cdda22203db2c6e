package pluginwire

import (
	"encoding/binary"
	"fmt"
	"time"

	"github.com/onelease/onelease/i2p"
)

// A frameType is the first byte of a frame.
type frameType uint8

const (
	typeData frameType = iota
	typeEnd
	typeReset
	typeOK
	typeError
	typeDial
	typePacket
	typeLost
	frameTypes
)

// MaxFrame is the most bytes that a frame carries.
const MaxFrame = 1 << 16

const headerSize = 4

// maxControl bounds the frames that are neither DATA nor PACKET. The longest is
// OK with two Destinations.
const maxControl = 3072

// limit is the most bytes that a frame of type t carries.
func (t frameType) limit() int {
	switch t {
	case typeData, typePacket:
		return MaxFrame
	case typeEnd:
		return 0
	case typeReset, typeError:
		return maxError
	case typeLost:
		return 8
	}
	return maxControl
}

// putHeader writes the header of a frame of n bytes to the start of b.
func putHeader(b []byte, t frameType, n int) {
	binary.BigEndian.PutUint32(b, uint32(t)<<24|uint32(n))
}

// appendFrame appends a frame whose content add appends.
func appendFrame(b []byte, t frameType, add func([]byte) []byte) []byte {
	at := len(b)
	b = add(append(b, 0, 0, 0, 0))
	putHeader(b[at:], t, len(b)-at-headerSize)
	return b
}

// parseHeader reads the 4 bytes of a header.
func parseHeader(b []byte) (frameType, int, error) {
	h := binary.BigEndian.Uint32(b)
	t, n := frameType(h>>24), int(h&0xffffff)
	if t >= frameTypes {
		return 0, 0, fmt.Errorf("frame of type %d: %w", t, ErrProtocol)
	}
	if n > t.limit() {
		return 0, 0, fmt.Errorf("frame of type %d and %d bytes, want %d at most: %w", t, n, t.limit(), ErrProtocol)
	}
	return t, n, nil
}

// appendDial appends what a DIAL has: a limit of 0 is none.
func appendDial(b []byte, address string, limit time.Duration) []byte {
	b = binary.BigEndian.AppendUint64(b, uint64(limit.Milliseconds()))
	return append(b, address...)
}

// maxLimit keeps a limit within a time.Duration.
const maxLimit = 24 * time.Hour

func parseDial(b []byte) (address string, limit time.Duration, err error) {
	if len(b) < 8 {
		return "", 0, fmt.Errorf("DIAL of %d bytes: %w", len(b), i2p.ErrTruncated)
	}
	ms := min(binary.BigEndian.Uint64(b), uint64(maxLimit.Milliseconds()))
	return string(b[8:]), time.Duration(ms) * time.Millisecond, nil
}

func parseLost(b []byte) (uint64, error) {
	if len(b) != 8 {
		return 0, fmt.Errorf("LOST of %d bytes: %w", len(b), i2p.ErrTruncated)
	}
	return binary.BigEndian.Uint64(b), nil
}
