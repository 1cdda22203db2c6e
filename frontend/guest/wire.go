package guest

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// ALPN is the protocol's name in TLS. Both ends insist on it, so that a backend
// that is given another port of a frontend finds out.
const ALPN = "onelease-guests/1"

// version is that of the stream's header.
const version = 1

// A kind is what a stream is for.
type kind byte

const (
	// kindOpen is of the backend: it opens a guest, and lasts as long. After the
	// reply it carries nothing but a farewell.
	kindOpen kind = 1 + iota
	// kindSAM is of the backend: after the reply, SAM with the guest's frontend.
	kindSAM
	// kindControl is of the frontend: the guest's line to its balancer.
	kindControl
	// kindLookup is of the backend: a name follows, and the reply has its Destination
	// (lookup.go).
	kindLookup
	kinds
)

// Roles are those of a guest's frontend, a bit each.
type roles byte

const (
	roleMember roles = 1 << iota
	rolePublisher
	roleRefuge
	roleEnd
)

func (r roles) String() string {
	var names []string
	for i, name := range []string{"member", "publisher", "refuge"} {
		if r&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return strings.Join(names, " and ")
}

// An instance tells one life of a backend from the next. It is random.
type instance [16]byte

// A header begins each stream.
type header struct {
	kind  kind
	roles roles // of kindOpen; else 0
	// id is the guest's, chosen by its backend and not 0; 0 with kindLookup.
	id       uint32
	instance instance
}

// headerSize is a header's length in bytes:
//
//	version 1 | kind 1 | roles 1 | 0 | id 4, big-endian | instance 16
const headerSize = 24

// errHeader says that a stream begins with something else.
var errHeader = errors.New("invalid header of a guest's stream")

// append appends the header's bytes to b.
func (h header) append(b []byte) []byte {
	b = append(b, version, byte(h.kind), byte(h.roles), 0)
	b = binary.BigEndian.AppendUint32(b, h.id)
	return append(b, h.instance[:]...)
}

// parseHeader reads what append writes, and nothing else. The error is errHeader.
func parseHeader(b []byte) (h header, err error) {
	if len(b) != headerSize {
		return h, fmt.Errorf("%w: %d bytes, want %d", errHeader, len(b), headerSize)
	}
	if b[0] != version {
		return h, fmt.Errorf("%w: version %d, want %d: run the same release at both ends", errHeader, b[0], version)
	}
	h = header{kind: kind(b[1]), roles: roles(b[2]), id: binary.BigEndian.Uint32(b[4:8]), instance: instance(b[8:])}
	switch {
	case h.kind == 0 || h.kind >= kinds:
		return header{}, fmt.Errorf("%w: kind %d", errHeader, b[1])
	case b[3] != 0, h.roles >= roleEnd, (h.roles != 0) != (h.kind == kindOpen), (h.id != 0) != (h.kind != kindLookup):
		return header{}, fmt.Errorf("%w: kind %d with roles %d, id %d", errHeader, h.kind, b[2], h.id)
	}
	return h, nil
}

func readHeader(r io.Reader) (header, error) {
	var b [headerSize]byte
	if _, err := io.ReadFull(r, b[:]); err != nil {
		return header{}, err
	}
	return parseHeader(b[:])
}

// A result is how a stream was taken.
type result byte

const (
	resultOK      result = iota
	resultRefused        // not while the settings are what they are
	resultQuota          // too many guests
	resultUnknown        // no such guest, or no such name
	resultFailed         // not now
	results
)

// maxText is the longest text of a reply, in bytes: a Destination takes 500, and options
// of a LeaseSet some more.
const maxText = 16 << 10

// appendReply appends a reply's bytes to b:
//
//	result 1 | length 2, big-endian | text
//
// With resultOK the text is what was asked for; else it says in UTF-8 why not.
func appendReply(b []byte, r result, text string) []byte {
	text = text[:min(len(text), maxText)]
	b = append(b, byte(r))
	b = binary.BigEndian.AppendUint16(b, uint16(len(text)))
	return append(b, text...)
}

// errReply says that a reply is none.
var errReply = errors.New("invalid reply of a frontend")

// readReply reads one. An error that is none of r or errReply is what the text says.
func readReply(r io.Reader) (text []byte, err error) {
	var head [3]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint16(head[1:])
	if result(head[0]) >= results || n > maxText {
		return nil, fmt.Errorf("%w: result %d, %d bytes", errReply, head[0], n)
	}
	text = make([]byte, n)
	if _, err := io.ReadFull(r, text); err != nil {
		return nil, err
	}
	switch code := result(head[0]); {
	case code == resultOK:
		return text, nil
	case !utf8.Valid(text):
		return nil, fmt.Errorf("%w: its text is no UTF-8", errReply)
	default:
		return nil, &Refusal{code, string(text)}
	}
}

// A Refusal is why a frontend did not do what it was asked for.
type Refusal struct {
	code result
	text string
}

// Error is what the frontend says.
func (r *Refusal) Error() string { return r.text }

// Is has errors.Is find ErrRefused, ErrQuota and ErrUnknown.
func (r *Refusal) Is(target error) bool {
	switch target {
	case ErrRefused:
		return r.code == resultRefused
	case ErrQuota:
		return r.code == resultQuota
	case ErrUnknown:
		return r.code == resultUnknown
	}
	return false
}

func refuse(code result, format string, args ...any) error {
	return &Refusal{code, fmt.Sprintf(format, args...)}
}

// Errors that callers can tell apart.
var (
	// ErrConfig says that a configuration cannot work; the message names the field.
	ErrConfig = errors.New("guests configuration")
	// ErrRefused says that the frontend does not take guests of that kind or backend:
	// its operator can change that.
	ErrRefused = errors.New("guest refused")
	// ErrQuota says that the frontend, or the backend there, has too many guests.
	ErrQuota = errors.New("too many guests")
	// ErrUnknown says that the frontend does not know the guest, or the name.
	ErrUnknown = errors.New("not known")
)
