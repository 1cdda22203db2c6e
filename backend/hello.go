package backend

import (
	"encoding/binary"
	"fmt"

	"github.com/onelease/onelease/i2p/datagram"
)

// HelloProtocol is the I2CP protocol of the hello to a stranded remote, which
// is a ping of the streaming protocol: streaming's.
//
// All that a hello must do is reach the remote's router as the first message
// of a new session, since that brings the LeaseSet of the surviving router
// along, and the session to send to. It must not disturb the application. An
// empty message of an experimental protocol number (224) would do the first,
// but i2pd writes a line at level error into the remote's log for each
// ("Unexpected protocol", libi2pd/Destination.cpp, HandleDataMessage), and an
// empty datagram is a line at level warning ("decompression failed"), while
// SAM cannot carry an empty packet at all. A streaming ping is quiet, whatever
// the application does: every Destination of i2pd has a streaming part that
// answers pings by default (i2p.streaming.answerPings), as has every Java I2P
// client that uses streams; a Java client without drops it with a line at
// level warning, below its default (I2PSessionDemultiplexer).
//
// And the pong is worth more than silence. It completes the handshake of the
// new session at once, even if the application has nothing to say; up to then
// the surviving i2pd drops whatever the backend sends to that remote. It also
// proves that the remote has moved, and ends the hellos.
const HelloProtocol = 6

// A helloNonce is random and known only to us and to whom the hello went to.
// Its first four bytes are the ping's stream ID, the others its payload; a
// pong returns both.
type helloNonce [4 + 16]byte

// The header of a packet of the streaming protocol ("Streaming Library
// Specification", Packet Format): send stream ID 4, receive stream ID 4,
// sequence number 4, ack through 4, NACK count 1, resend delay 1, flags 2,
// option size 2.
const (
	streamHeader    = 22
	streamNACKCount = 16
	streamFlags     = 18
	streamOptions   = 20

	streamSigned  = 1 << 3
	streamFrom    = 1 << 5
	streamEcho    = 1 << 9
	streamOffline = 1 << 11
)

// appendHello appends the ping. Its options are, in this order, the
// Destination, the offline signature if there is one, and the signature of the
// whole packet with zeros in the signature's place.
func appendHello(b []byte, o *datagram.Origin, nonce helloNonce) ([]byte, error) {
	start := len(b)
	b = append(b, nonce[:4]...)
	b = append(b, make([]byte, streamHeader-4)...)
	b = o.Destination.AppendTo(b)
	flags := uint16(streamSigned | streamFrom | streamEcho)
	if o.Offline != nil {
		flags |= streamOffline
		b = o.Offline.AppendTo(b)
	}
	signAt := len(b)
	size := o.Signer.SigType().SignatureSize()
	b = append(b, make([]byte, size)...)
	binary.BigEndian.PutUint16(b[start+streamFlags:], flags)
	binary.BigEndian.PutUint16(b[start+streamOptions:], uint16(len(b)-start-streamHeader))
	b = append(b, nonce[4:]...)
	signature, err := o.Signer.Sign(b[start:])
	if err != nil || len(signature) != size {
		return b[:start], fmt.Errorf("sign hello, signature of %d bytes, want %d: %w", len(signature), size, err)
	}
	copy(b[signAt:], signature)
	return b, nil
}

// parsePong returns the nonce that a pong of the streaming protocol has: no
// send stream ID, and the ping's in place of the receive stream ID.
func parsePong(b []byte) (nonce helloNonce, ok bool) {
	if len(b) < streamHeader || binary.BigEndian.Uint32(b) != 0 || b[streamNACKCount] != 0 ||
		binary.BigEndian.Uint16(b[streamFlags:])&streamEcho == 0 {
		return nonce, false
	}
	payload := streamHeader + int(binary.BigEndian.Uint16(b[streamOptions:]))
	if len(b) != payload+len(nonce)-4 {
		return nonce, false
	}
	copy(nonce[:4], b[4:8])
	copy(nonce[4:], b[payload:])
	return nonce, true
}
