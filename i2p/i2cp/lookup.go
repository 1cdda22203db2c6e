package i2cp

import (
	"encoding/binary"
	"time"

	"github.com/onelease/onelease/i2p"
)

// LookupKind is what a HostLookup asks by ("HostLookupMessage").
type LookupKind uint8

// Kinds of lookup. i2pd and this package know the first two; later ones ask
// for the options of the LeaseSet as well.
const (
	LookupByHash LookupKind = 0
	LookupByName LookupKind = 1
)

// HostLookup asks for the Destination of a hash or a name.
type HostLookup struct {
	// Session is NoSession outside of one.
	Session uint16
	// Request comes back with the HostReply.
	Request uint32
	// Timeout has a resolution of 1 ms. i2pd ignores it.
	Timeout time.Duration
	Kind    LookupKind
	Hash    i2p.Hash // for LookupByHash
	Name    string   // for LookupByName
}

// AppendFrame appends m as a frame. It fails on names over 255 bytes.
func (m HostLookup) AppendFrame(b []byte) ([]byte, error) {
	start := len(b)
	b = binary.BigEndian.AppendUint16(beginFrame(b, TypeHostLookup), m.Session)
	b = binary.BigEndian.AppendUint32(b, m.Request)
	b = binary.BigEndian.AppendUint32(b, uint32(m.Timeout.Milliseconds()))
	b = append(b, byte(m.Kind))
	if m.Kind == LookupByHash {
		return endFrame(append(b, m.Hash[:]...), start, nil)
	}
	b, err := appendText(b, m.Name)
	return endFrame(b, start, err)
}

// ParseHostLookup reads the body of a HostLookup. Of a kind that it does not
// know it reads all but what is looked up, so that a server can answer
// HostUnsupported.
func ParseHostLookup(body []byte) (HostLookup, error) {
	c := cursor{rest: body}
	m := HostLookup{Session: c.uint16(), Request: c.uint32()}
	m.Timeout = time.Duration(c.uint32()) * time.Millisecond
	m.Kind = LookupKind(c.uint8())
	switch m.Kind {
	case LookupByHash:
		m.Hash = c.hash()
	case LookupByName:
		m.Name = c.text()
	}
	return m, c.done(TypeHostLookup)
}

// HostResult is how a lookup ended ("HostReplyMessage").
type HostResult uint8

// The results of lookups. i2pd knows the first two.
const (
	HostFound             HostResult = 0
	HostFailure           HostResult = 1
	HostPasswordRequired  HostResult = 2
	HostKeyRequired       HostResult = 3
	HostBothRequired      HostResult = 4
	HostDecryptionFailure HostResult = 5
	HostNoLeaseSet        HostResult = 6
	HostUnsupported       HostResult = 7
)

// HostReply answers a HostLookup.
type HostReply struct {
	Session uint16
	Request uint32
	Result  HostResult
	// Destination is set with HostFound only.
	Destination i2p.Destination
}

// AppendFrame appends m as a frame.
func (m HostReply) AppendFrame(b []byte) ([]byte, error) {
	start := len(b)
	b = binary.BigEndian.AppendUint16(beginFrame(b, TypeHostReply), m.Session)
	b = binary.BigEndian.AppendUint32(b, m.Request)
	b = append(b, byte(m.Result))
	if m.Result == HostFound {
		b = m.Destination.AppendTo(b)
	}
	return endFrame(b, start, nil)
}

// ParseHostReply reads the body of a HostReply.
func ParseHostReply(body []byte) (HostReply, error) {
	c := cursor{rest: body}
	m := HostReply{Session: c.uint16(), Request: c.uint32(), Result: HostResult(c.uint8())}
	if m.Result == HostFound {
		m.Destination = c.destination()
	}
	return m, c.done(TypeHostReply)
}
