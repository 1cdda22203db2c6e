package datagram

import (
	"encoding/binary"
	"fmt"
	"sync"
	"time"

	"github.com/onelease/onelease/i2p"
)

// Flags of a Datagram2 and a Datagram3.
const (
	versionMask = 0x0f
	version2    = 2
	version3    = 3
	flagOptions = 1 << 4
	flagOffline = 1 << 5
)

// A Datagram2 is a repliable datagram that is signed for one receiver, protocol 19:
// from | flags | options | offline signature | payload | signature. Its slices
// are views into what it was parsed from.
type Datagram2 struct {
	From []byte
	// Options is the encoded mapping, or nil; i2p.ParseMapping reads it.
	Options []byte
	// Offline, if set, is the permission for the transient key that signed.
	Offline            *i2p.OfflineSignature
	Payload, Signature []byte

	signed []byte // from the flags to the end of the payload
}

// An Origin is who signs Datagram2s, and streams. It does not change once it is in use.
type Origin struct {
	Destination i2p.Destination
	Signer      i2p.Signer
	// Offline is the permission for Signer's key if that is a transient one.
	Offline *i2p.OfflineSignature
}

// clockSkew is how far a remote's clock may be ahead of ours: routers refuse each
// other beyond a minute ("NTCP2", "SSU2"). A permission is not used for something
// new in its last minute, since remotes look at the date.
const clockSkew = time.Minute

// Expired reports whether o must not sign anything new at now: its permission
// has ended, or is about to.
func (o *Origin) Expired(now time.Time) bool {
	return o.Offline != nil && !o.Offline.Expires.After(now.Add(clockSkew))
}

// Overhead2 is what a Datagram2 without options from o adds to its payload, in bytes.
func (o Origin) Overhead2() int {
	n := o.Destination.Size() + 2 + o.Signer.SigType().SignatureSize()
	if o.Offline != nil {
		n += 6 + len(o.Offline.Key.Key) + len(o.Offline.Signature)
	}
	return n
}

// AppendDatagram2 appends a datagram from o to the Destination whose hash is
// target. Empty options are left out. A result beyond MaxSize is ErrTooLarge.
func AppendDatagram2(b []byte, o Origin, target i2p.Hash, options i2p.Mapping, payload []byte) ([]byte, error) {
	start := len(b)
	flags := uint16(version2)
	if o.Offline != nil {
		flags |= flagOffline
	}
	// The target is signed before the flags but not sent: it is put there for
	// the signature and overwritten after it, which spares a second buffer.
	out := o.Destination.AppendTo(b)
	prelude := len(out)
	out, err := appendFlags(append(out, target[:]...), flags, options)
	if err != nil {
		return b, err
	}
	if o.Offline != nil {
		out = o.Offline.AppendTo(out)
	}
	out = append(out, payload...)
	if err := checkSize(len(out) - start - i2p.HashSize + o.Signer.SigType().SignatureSize()); err != nil {
		return b, err
	}
	signature, err := o.Signer.Sign(out[prelude:])
	if err != nil {
		return b, fmt.Errorf("sign datagram2: %w", err)
	}
	out = append(out[:prelude], out[prelude+i2p.HashSize:]...)
	return append(out, signature...), nil
}

// appendFlags appends the flags and, if there are any, the options.
func appendFlags(b []byte, flags uint16, options i2p.Mapping) ([]byte, error) {
	if len(options) == 0 {
		return binary.BigEndian.AppendUint16(b, flags), nil
	}
	return options.AppendTo(binary.BigEndian.AppendUint16(b, flags|flagOptions))
}

// ParseDatagram2 reads the whole of b; it checks the form only. It allocates
// for an offline signature alone.
func ParseDatagram2(b []byte) (Datagram2, error) {
	from, sig, signed, err := splitSender(b)
	if err != nil {
		return Datagram2{}, fmt.Errorf("datagram2: %w", err)
	}
	d := Datagram2{From: from}
	flags, options, rest, err := parseFlags(signed, version2)
	if err != nil {
		return Datagram2{}, fmt.Errorf("datagram2: %w", err)
	}
	d.Options = options
	if flags&flagOffline != 0 {
		offline, n, err := i2p.ParseOfflineSignature(rest, sig)
		if err != nil {
			return Datagram2{}, fmt.Errorf("datagram2: %w", err)
		}
		d.Offline, rest, sig = offline, rest[n:], offline.Key.Type
	}
	size := len(rest) - sig.SignatureSize()
	if size < 0 {
		return Datagram2{}, fmt.Errorf("datagram2: signature of %d bytes, want %d: %w", len(rest), sig.SignatureSize(), i2p.ErrTruncated)
	}
	d.Payload, d.Signature = rest[:size:size], rest[size:]
	d.signed = signed[:len(signed)-len(d.Signature)]
	return d, nil
}

// parseFlags reads the flags and the encoded options. It does not look into
// the options, most receivers of which have no use for them.
func parseFlags(b []byte, version uint16) (flags uint16, options, rest []byte, err error) {
	head, rest, err := take(b, 2, "flags")
	if err != nil {
		return 0, nil, nil, err
	}
	flags = binary.BigEndian.Uint16(head)
	if flags&versionMask != version {
		return 0, nil, nil, fmt.Errorf("version %d, want %d: %w", flags&versionMask, version, i2p.ErrUnsupported)
	}
	if flags&flagOptions == 0 {
		return flags, nil, rest, nil
	}
	if len(rest) < 2 {
		return 0, nil, nil, fmt.Errorf("options of %d bytes: %w", len(rest), i2p.ErrTruncated)
	}
	options, rest, err = take(rest, 2+int(binary.BigEndian.Uint16(rest)), "options")
	return flags, options, rest, err
}

// signedPool has buffers for the signed bytes, which do not stand in one
// piece in a datagram. Verify has one for the time of the call.
var signedPool = sync.Pool{New: func() any { b := make([]byte, 0, i2p.HashSize+MaxSize); return &b }}

// Verify returns nil if sender, whose From d has, signed it for the receiver
// whose hash is target; an offline signature must not have expired by now.
func (d *Datagram2) Verify(sender *Sender, target i2p.Hash, now time.Time) error {
	key := sender.Key
	if d.Offline != nil {
		if now.After(d.Offline.Expires) {
			return fmt.Errorf("datagram2: %w", ErrExpired)
		}
		if err := d.Offline.Verify(sender.Destination); err != nil {
			return fmt.Errorf("datagram2: %w", err)
		}
		key = d.Offline.Key
	}
	buffer := signedPool.Get().(*[]byte)
	defer signedPool.Put(buffer)
	*buffer = append(append((*buffer)[:0], target[:]...), d.signed...)
	if err := key.Verify(*buffer, d.Signature); err != nil {
		return fmt.Errorf("datagram2: %w", err)
	}
	return nil
}
