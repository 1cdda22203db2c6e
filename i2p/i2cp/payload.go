package i2cp

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
)

// Protocols that a Payload can carry ("I2CP Protocol", payload format).
const (
	ProtocolStreaming   = 6
	ProtocolDatagram    = 17
	ProtocolRaw         = 18
	ProtocolDatagram2   = 19
	ProtocolDatagram3   = 20
	gzipHeaderSize      = 10
	gzipTrailerSize     = 8
	storedHeaderSize    = 5
	payloadOverhead     = gzipHeaderSize + storedHeaderSize + gzipTrailerSize
	gzipExtraFlagsByte  = 2 // what Java I2P writes
	deflateStoredAndEnd = 1 // a block that is stored and the last
)

// MaxData is the most that one message carries. An I2NP message holds 62,708
// bytes; what is left is for headers, encryption and a bundled LeaseSet. The
// limit is kept here because i2pd up to 2.58 copies whatever it is sent into a
// buffer of that size without a check.
const MaxData = 60000

// ErrPayload says that a payload is not what AppendPayload describes.
var ErrPayload = errors.New("malformed payload")

// A Payload is what one message carries, with I2P's ports, which have nothing
// to do with those of the machine.
type Payload struct {
	FromPort, ToPort uint16
	Protocol         uint8
	Data             []byte
}

// FramedSize is the number of bytes that AppendPayload makes of p.
func (p Payload) FramedSize() int { return payloadOverhead + len(p.Data) }

// AppendPayload frames data, at most MaxData bytes: a gzip header whose unused fields
// hold the ports (in that of the time) and the protocol (in that of the
// system), one stored block, the checksum and the size. It does not allocate
// if b has room.
func AppendPayload(b []byte, fromPort, toPort uint16, protocol uint8, data []byte) []byte {
	b = append(b, 0x1f, 0x8b, 8, 0)
	b = binary.BigEndian.AppendUint16(b, fromPort)
	b = binary.BigEndian.AppendUint16(b, toPort)
	b = append(b, gzipExtraFlagsByte, protocol, deflateStoredAndEnd)
	b = binary.LittleEndian.AppendUint16(b, uint16(len(data)))
	b = binary.LittleEndian.AppendUint16(b, ^uint16(len(data)))
	b = append(b, data...)
	b = binary.LittleEndian.AppendUint32(b, crc32.ChecksumIEEE(data))
	return binary.LittleEndian.AppendUint32(b, uint32(len(data)))
}
