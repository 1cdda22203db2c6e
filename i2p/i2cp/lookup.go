package i2cp

import (
	"encoding/binary"
	"time"

	"github.com/onelease/onelease/i2p"
)

// LookupKind is what a HostLookup asks by ("HostLookupMessage").
type LookupKind uint8

// Kinds of lookup. i2pd knows the first two; the others ask for the options of the
// LeaseSet as well (Java I2P since API 0.9.66, proposal 167). The fifth kind, by a
// whole Destination, is not used here: its hash will do.
const (
	LookupByHash        LookupKind = 0
	LookupByName        LookupKind = 1
	LookupOptionsByHash LookupKind = 2
	LookupOptionsByName LookupKind = 3
)

func (k LookupKind) byHash() bool { return k == LookupByHash || k == LookupOptionsByHash }
func (k LookupKind) byName() bool { return k == LookupByName || k == LookupOptionsByName }

// Options reports whether the kind asks for the LeaseSet's options.
func (k LookupKind) Options() bool { return k == LookupOptionsByHash || k == LookupOptionsByName }

// HostLookup asks for the Destination of a hash or a name.
type HostLookup struct {
	// Session is NoSession outside of one.
	Session uint16
	// Request comes back with the HostReply.
	Request uint32
	// Timeout has a resolution of 1 ms. i2pd ignores it.
	Timeout time.Duration
	Kind    LookupKind
	Hash    i2p.Hash // for those by hash
	Name    string   // for those by name
}

// AppendFrame appends m as a frame. It fails on names over 255 bytes.
func (m HostLookup) AppendFrame(b []byte) ([]byte, error) {
	start := len(b)
	b = binary.BigEndian.AppendUint16(beginFrame(b, TypeHostLookup), m.Session)
	b = binary.BigEndian.AppendUint32(b, m.Request)
	b = binary.BigEndian.AppendUint32(b, uint32(m.Timeout.Milliseconds()))
	b = append(b, byte(m.Kind))
	if m.Kind.byHash() {
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
	switch {
	case m.Kind.byHash():
		m.Hash = c.hash()
	case m.Kind.byName():
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
	// Destination is set with HostFound, and may be with HostNoLeaseSet.
	Destination i2p.Destination
	// Options are those of the LeaseSet, nil if they were not asked for. They come
	// with HostFound only.
	Options i2p.Mapping
}

// AppendFrame appends m as a frame.
func (m HostReply) AppendFrame(b []byte) ([]byte, error) {
	start := len(b)
	b = binary.BigEndian.AppendUint16(beginFrame(b, TypeHostReply), m.Session)
	b = binary.BigEndian.AppendUint32(b, m.Request)
	b = append(b, byte(m.Result))
	if m.Result == HostFound || !m.Destination.IsZero() {
		b = m.Destination.AppendTo(b)
	}
	var err error
	if m.Result == HostFound && m.Options != nil {
		b, err = m.Options.AppendTo(b)
	}
	return endFrame(b, start, err)
}

// ParseHostReply reads the body of a HostReply.
func ParseHostReply(body []byte) (HostReply, error) {
	c := cursor{rest: body}
	m := HostReply{Session: c.uint16(), Request: c.uint32(), Result: HostResult(c.uint8())}
	if m.Result == HostFound || m.Result == HostNoLeaseSet && len(c.rest) > 0 {
		m.Destination = c.destination()
	}
	if m.Result == HostFound && len(c.rest) > 0 {
		if m.Options = c.mapping(); m.Options == nil {
			m.Options = i2p.Mapping{}
		}
	}
	return m, c.done(TypeHostReply)
}
