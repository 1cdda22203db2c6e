package backend

import (
	"crypto/rand"
	"encoding/binary"

	"github.com/onelease/onelease/i2p/datagram"
	"github.com/onelease/onelease/i2p/streaming"
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
const HelloProtocol = ProtocolStreaming

// A helloNonce is random and known only to us and to whom the hello went to.
// Its first four bytes are the ping's stream ID (newID), the others its payload; a
// pong returns both.
type helloNonce [4 + 16]byte

func (n *helloNonce) id() uint32      { return binary.BigEndian.Uint32(n[:4]) }
func (n *helloNonce) setID(id uint32) { binary.BigEndian.PutUint32(n[:4], id) }

// newNonce makes one whose ID is not 0.
func newNonce(newID func() uint32) (n helloNonce) {
	for n.id() == 0 {
		rand.Read(n[:])
		n.setID(newID())
	}
	return n
}

// appendHello appends the hello with that nonce.
func appendHello(b []byte, o *datagram.Origin, nonce helloNonce) ([]byte, error) {
	return streaming.AppendPing(b, o, nonce.id(), nonce[4:])
}

// parsePong returns the nonce of the hello that b answers, if it can be one.
func parsePong(b []byte) (nonce helloNonce, ok bool) {
	id, payload, ok := streaming.ParsePong(b)
	if !ok || len(payload) != len(nonce)-4 {
		return nonce, false
	}
	nonce.setID(id)
	copy(nonce[4:], payload)
	return nonce, true
}
