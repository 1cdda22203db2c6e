package backend

import (
	"bytes"
	"encoding/binary"
	"testing"
	"time"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/datagram"
	"github.com/onelease/onelease/i2p/sam"
)

// The header of a packet ("Streaming Library Specification", Packet Format):
// send stream ID 4, receive stream ID 4, sequence number 4, ack through 4, NACK
// count 1, resend delay 1, flags 2, option size 2.
const (
	streamHeader    = 22
	streamNACKCount = 16
	streamFlags     = 18
	streamOptions   = 20
	streamEcho      = 1 << 9
)

// The hello must be a ping that a stock streaming library answers: the flags,
// then FROM, the offline signature and the signature over all of it.
func TestHelloIsASignedPing(t *testing.T) {
	keys, transient := newKeys(t), newKeys(t)
	offline, err := i2p.SignOffline(keys, transient.Destination.SigningKey(), time.Now().Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range []datagram.Origin{
		{Destination: keys.Destination, Signer: keys},
		{Destination: keys.Destination, Signer: transient, Offline: offline},
	} {
		nonce := helloNonce(bytes.Repeat([]byte{0xa5}, len(helloNonce{})))
		b, err := appendHello([]byte("x"), &o, nonce)
		if err != nil {
			t.Fatal(err)
		}
		b = b[1:]
		if !bytes.Equal(b[:4], nonce[:4]) || !bytes.HasSuffix(b, nonce[4:]) || !bytes.Equal(b[4:18], make([]byte, 14)) {
			t.Errorf("header or payload: %x", b)
		}
		flags, key := uint16(0x228), keys.Destination.SigningKey()
		options := keys.Destination.Bytes()
		if o.Offline != nil {
			flags, key = 0xa28, transient.Destination.SigningKey()
			options = offline.AppendTo(options)
		}
		if got := binary.BigEndian.Uint16(b[18:]); got != flags {
			t.Errorf("flags %#x, want %#x", got, flags)
		}
		if got := int(binary.BigEndian.Uint16(b[20:])); got != len(options)+64 {
			t.Errorf("%d bytes of options, want %d", got, len(options)+64)
		}
		at := 22 + len(options)
		if !bytes.Equal(b[22:at], options) {
			t.Error("the options are not FROM and the offline signature")
		}
		signature := bytes.Clone(b[at : at+64])
		copy(b[at:], make([]byte, 64))
		if err := key.Verify(b, signature); err != nil {
			t.Error(err)
		}
	}
}

func TestParsePongRefuses(t *testing.T) {
	good := pongTo(sam.Packet{Data: append(make([]byte, streamHeader), make([]byte, 16)...)}).Data
	if _, ok := parsePong(good); !ok {
		t.Fatal("a pong is refused")
	}
	for name, b := range map[string][]byte{
		"a ping":          with(good, 0, 1),
		"no echo flag":    with(good, streamFlags, 0),
		"NACKs":           with(good, streamNACKCount, 1),
		"options":         with(good, streamOptions, 1),
		"a short payload": good[:len(good)-1],
		"a header only":   good[:streamHeader-1],
	} {
		if _, ok := parsePong(b); ok {
			t.Errorf("%s is taken for a pong", name)
		}
	}
}

// with is b with one byte changed.
func with(b []byte, at int, value byte) []byte {
	b = bytes.Clone(b)
	b[at] = value
	return b
}

func FuzzParsePong(f *testing.F) {
	f.Add(make([]byte, streamHeader+16))
	f.Fuzz(func(t *testing.T, b []byte) {
		if nonce, ok := parsePong(b); ok && !bytes.Equal(nonce[:4], b[4:8]) {
			t.Error("nonce is not the receive stream ID")
		}
	})
}
