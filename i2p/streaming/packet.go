package streaming

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/datagram"
)

// Flags say what a packet is and which options it has ("Streaming Library
// Specification", Flags and Option Data Fields).
type Flags uint16

// The flags. The others are reserved, and ignored.
const (
	FlagSync           Flags = 1 << 0
	FlagClose          Flags = 1 << 1
	FlagReset          Flags = 1 << 2
	FlagSigned         Flags = 1 << 3
	FlagWantsSignature Flags = 1 << 4 // not used by anybody
	FlagFrom           Flags = 1 << 5
	FlagDelay          Flags = 1 << 6
	FlagMaxSize        Flags = 1 << 7
	FlagInteractive    Flags = 1 << 8
	FlagEcho           Flags = 1 << 9
	FlagNoAck          Flags = 1 << 10
	FlagOffline        Flags = 1 << 11
)

const (
	// headerSize is the size of a header without NACKs.
	headerSize = 22
	// MaxNACKs is how many NACKs a packet can have.
	MaxNACKs = 255
	// replayNACKs is how many NACKs of a SYN hold the receiver's hash.
	replayNACKs = i2p.HashSize / 4
	// ChokeDelay is the least Delay that says: stop sending.
	ChokeDelay = 60001
)

// Errors of packets.
var (
	// ErrPacket says that something is not a packet of the protocol.
	ErrPacket = errors.New("not a streaming packet")
	// ErrUnsigned says that a packet that must be signed is not, or wrongly.
	ErrUnsigned = errors.New("streaming packet is not signed")

	errNoSignature = errors.New("there is no signature")
)

// A Packet is one packet of the protocol ("Streaming Library Specification",
// Packet Format):
//
//	send stream ID 4 | receive stream ID 4 | sequence number 4 | ack through 4 |
//	NACK count 1 | NACKs 4 each | resend delay 1 | flags 2 | option size 2 |
//	options | payload
//
// with the options, those whose flag is set, in this order:
//
//	delay 2 | from 387+ | max packet size 2 | offline signature | signature
//
// Its slices are views into what it was parsed from.
type Packet struct {
	// SendID is the ID that the receiver of the packet chose, 0 in a first SYN;
	// ReceiveID is the sender's.
	SendID, ReceiveID uint32
	// Seq is 0 in a SYN, and in a packet that has neither payload nor FlagSync.
	Seq uint32
	// AckThrough is the highest number received, unless FlagNoAck is set or
	// SendID is 0.
	AckThrough uint32
	// NACKs are the numbers below AckThrough that are missing, 4 bytes each;
	// in a SYN the hash of the receiver, or nothing.
	NACKs []byte
	// ResendDelay is the sender's timeout in seconds, a hint.
	ResendDelay uint8
	Flags       Flags
	// Delay is in milliseconds, with FlagDelay: how long acks may wait. From
	// ChokeDelay on it says that the sender of the packet cannot take more.
	Delay uint16
	// From is the sender's encoded Destination, with FlagFrom.
	From []byte
	// MaxSize is the largest payload that the sender takes, with FlagMaxSize.
	MaxSize uint16
	// Payload is the data of the stream.
	Payload []byte

	raw []byte
	// proof is where the offline signature, if any, and the signature are.
	proofAt, proofEnd int
}

// mustBeSigned reports whether a packet that is sent needs a signature.
func (p *Packet) mustBeSigned() bool { return p.Flags&(FlagSync|FlagClose|FlagReset) != 0 }

// NACKCount is how many NACKs there are.
func (p *Packet) NACKCount() int { return len(p.NACKs) / 4 }

// NACK is NACK number i, counted from 0.
func (p *Packet) NACK(i int) uint32 { return binary.BigEndian.Uint32(p.NACKs[4*i:]) }

// Parse makes p the packet that b holds; it checks the form only, and
// allocates nothing. An error is ErrPacket.
func (p *Packet) Parse(b []byte) error {
	*p = Packet{raw: b}
	if len(b) < headerSize {
		return fmt.Errorf("%w: %d bytes, a header has %d", ErrPacket, len(b), headerSize)
	}
	p.SendID = binary.BigEndian.Uint32(b)
	p.ReceiveID = binary.BigEndian.Uint32(b[4:])
	p.Seq = binary.BigEndian.Uint32(b[8:])
	p.AckThrough = binary.BigEndian.Uint32(b[12:])
	nacksEnd := 17 + 4*int(b[16])
	optionsAt := nacksEnd + 5
	if len(b) < optionsAt {
		return fmt.Errorf("%w: ends in its %d NACKs", ErrPacket, b[16])
	}
	p.NACKs = b[17:nacksEnd]
	p.ResendDelay = b[nacksEnd]
	p.Flags = Flags(binary.BigEndian.Uint16(b[nacksEnd+1:]))
	payloadAt := optionsAt + int(binary.BigEndian.Uint16(b[nacksEnd+3:]))
	if len(b) < payloadAt {
		return fmt.Errorf("%w: ends in its options", ErrPacket)
	}
	p.Payload = b[payloadAt:]
	return p.parseOptions(b[:payloadAt], optionsAt)
}

// parseOptions reads the options, which are b from at on.
func (p *Packet) parseOptions(b []byte, at int) error {
	need := func(n int) bool { return len(b)-at >= n }
	if p.Flags&FlagDelay != 0 {
		if !need(2) {
			return fmt.Errorf("%w: no room for its delay", ErrPacket)
		}
		p.Delay = binary.BigEndian.Uint16(b[at:])
		at += 2
	}
	if p.Flags&FlagFrom != 0 {
		size, ok := destinationSize(b[at:])
		if !ok {
			return fmt.Errorf("%w: no room for its sender", ErrPacket)
		}
		p.From = b[at : at+size]
		at += size
	}
	if p.Flags&FlagMaxSize != 0 {
		if !need(2) {
			return fmt.Errorf("%w: no room for its max packet size", ErrPacket)
		}
		p.MaxSize = binary.BigEndian.Uint16(b[at:])
		at += 2
	}
	p.proofAt, p.proofEnd = at, len(b)
	return nil
}

// destinationSize is the size of the encoded Destination that b begins with:
// 256 and 128 bytes of keys, and a certificate: type 1 | length 2 | data.
func destinationSize(b []byte) (int, bool) {
	const keys = 256 + 128
	if len(b) < keys+3 {
		return 0, false
	}
	size := keys + 3 + int(binary.BigEndian.Uint16(b[keys+1:]))
	return size, size <= len(b)
}

// Verify returns nil if sender, whose packet it claims to be, has signed it:
// the whole of it, with zeros in place of the signature. An offline signature
// must not have expired by now. It writes to the packet and restores it. The
// error is ErrUnsigned.
//
// A packet without FlagOffline is checked with sender.Key. A remote that has
// shown a transient key in its SYN may sign later packets with that and leave
// FlagOffline out; give a Sender then whose Key is what SigningKey returned.
func (p *Packet) Verify(sender *datagram.Sender, now time.Time) error {
	key, signatureAt, err := p.signedBy(sender, now)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnsigned, err)
	}
	proof := p.raw[signatureAt:p.proofEnd]
	if size := key.Type.SignatureSize(); len(proof) != size {
		return fmt.Errorf("%w: a signature of %d bytes, want %d", ErrUnsigned, len(proof), size)
	}
	var kept [512]byte // RSA-4096, the largest, has 512
	signature := kept[:copy(kept[:], proof)]
	clear(proof)
	err = key.Verify(p.raw, signature)
	copy(proof, signature)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnsigned, err)
	}
	return nil
}

// SigningKey is the key that Verify checks with: the transient one that the
// packet brings, else sender's. The error is ErrUnsigned.
func (p *Packet) SigningKey(sender *datagram.Sender, now time.Time) (i2p.SigningPublicKey, error) {
	key, _, err := p.signedBy(sender, now)
	if err != nil {
		return key, fmt.Errorf("%w: %w", ErrUnsigned, err)
	}
	return key, nil
}

// signedBy returns the key that must have signed, and where the signature is.
func (p *Packet) signedBy(sender *datagram.Sender, now time.Time) (i2p.SigningPublicKey, int, error) {
	if p.Flags&FlagSigned == 0 {
		return i2p.SigningPublicKey{}, 0, errNoSignature
	}
	if p.Flags&FlagOffline == 0 {
		return sender.Key, p.proofAt, nil
	}
	offline, n, err := i2p.ParseOfflineSignature(p.raw[p.proofAt:p.proofEnd], sender.Destination.SigType())
	if err != nil {
		return i2p.SigningPublicKey{}, 0, err
	}
	if !offline.Expires.After(now) {
		return i2p.SigningPublicKey{}, 0, datagram.ErrExpired
	}
	return offline.Key, p.proofAt + n, offline.Verify(sender.Destination)
}

// AppendTo appends the packet, unsigned: From is written if FlagFrom is set, and
// so on; FlagSigned and FlagOffline must not be set (see AppendSigned). It
// does not check that NACKs are at most MaxNACKs.
func (p *Packet) AppendTo(b []byte) []byte {
	b, sizeAt := p.appendHead(b)
	binary.BigEndian.PutUint16(b[sizeAt:], uint16(len(b)-sizeAt-2))
	return append(b, p.Payload...)
}

// appendHead appends all up to the proof; the size of the options is left 0.
func (p *Packet) appendHead(b []byte) (out []byte, sizeAt int) {
	b = binary.BigEndian.AppendUint32(b, p.SendID)
	b = binary.BigEndian.AppendUint32(b, p.ReceiveID)
	b = binary.BigEndian.AppendUint32(b, p.Seq)
	b = binary.BigEndian.AppendUint32(b, p.AckThrough)
	b = append(b, byte(len(p.NACKs)/4))
	b = append(b, p.NACKs...)
	b = append(b, p.ResendDelay)
	b = binary.BigEndian.AppendUint16(b, uint16(p.Flags))
	sizeAt = len(b)
	b = append(b, 0, 0)
	if p.Flags&FlagDelay != 0 {
		b = binary.BigEndian.AppendUint16(b, p.Delay)
	}
	if p.Flags&FlagFrom != 0 {
		b = append(b, p.From...)
	}
	if p.Flags&FlagMaxSize != 0 {
		b = binary.BigEndian.AppendUint16(b, p.MaxSize)
	}
	return b, sizeAt
}

// AppendSigned appends the packet, signed by o, whose Destination is its From
// if FlagFrom is set. It sets FlagSigned and, if o has an offline signature,
// FlagOffline, which must not be without FlagFrom, so that is set too.
func (p *Packet) AppendSigned(b []byte, o *datagram.Origin) ([]byte, error) {
	start := len(b)
	p.Flags |= FlagSigned
	if o.Offline != nil {
		p.Flags |= FlagFrom | FlagOffline
	}
	if p.Flags&FlagFrom != 0 {
		p.From = o.Destination.Bytes()
	}
	b, sizeAt := p.appendHead(b)
	if o.Offline != nil {
		b = o.Offline.AppendTo(b)
	}
	signAt, size := len(b), o.Signer.SigType().SignatureSize()
	b = append(b, make([]byte, size)...)
	binary.BigEndian.PutUint16(b[sizeAt:], uint16(len(b)-sizeAt-2))
	b = append(b, p.Payload...)
	signature, err := o.Signer.Sign(b[start:])
	if err == nil && len(signature) != size {
		err = fmt.Errorf("%d bytes, want %d", len(signature), size)
	}
	if err != nil {
		return b[:start], fmt.Errorf("sign streaming packet: %w", err)
	}
	copy(b[signAt:], signature)
	return b, nil
}
