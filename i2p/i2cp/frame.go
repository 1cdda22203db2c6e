package i2cp

import (
	"encoding/binary"
	"fmt"
)

// ProtocolByte is what a client sends first, once, before its first frame.
const ProtocolByte = 0x2a

const (
	// MaxFrame is the most that a frame takes with its header. i2pd takes a
	// body of as many bytes but sends no frame above it; this side keeps to
	// the smaller both ways.
	MaxFrame = 65535
	// HeaderSize is the size of a frame's header: length of the body 4, type 1.
	HeaderSize = 5
	// maxBody is the largest body that a reader takes.
	maxBody = 65535
)

// NoSession is the session of messages that belong to none ("Session ID").
const NoSession uint16 = 0xffff

// MessageType says what the body of a frame is ("Message Types").
type MessageType uint8

// The messages that this package knows.
const (
	TypeCreateSession           MessageType = 1
	TypeReconfigureSession      MessageType = 2
	TypeDestroySession          MessageType = 3
	TypeSendMessage             MessageType = 5
	TypeSessionStatus           MessageType = 20
	TypeMessageStatus           MessageType = 22
	TypeDisconnect              MessageType = 30
	TypeMessagePayload          MessageType = 31
	TypeGetDate                 MessageType = 32
	TypeSetDate                 MessageType = 33
	TypeSendMessageExpires      MessageType = 36
	TypeRequestVariableLeaseSet MessageType = 37
	TypeHostLookup              MessageType = 38
	TypeHostReply               MessageType = 39
	TypeCreateLeaseSet2         MessageType = 41
)

// beginFrame appends a header without a length; endFrame fills that in.
func beginFrame(b []byte, t MessageType) []byte {
	return append(b, 0, 0, 0, 0, byte(t))
}

// endFrame finishes the frame that begins at start of b. If err is set or the
// frame too big it cuts it off again, so that b never holds half a frame.
func endFrame(b []byte, start int, err error) ([]byte, error) {
	size := len(b) - start
	if err == nil && size > MaxFrame {
		err = fmt.Errorf("frame of %d bytes, at most %d fit: %w", size, MaxFrame, ErrTooBig)
	}
	if err != nil {
		return b[:start], fmt.Errorf("encode %v: %w", MessageType(b[start+4]), err)
	}
	binary.BigEndian.PutUint32(b[start:], uint32(size-HeaderSize))
	return b, nil
}
