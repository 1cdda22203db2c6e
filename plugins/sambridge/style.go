package sambridge

import (
	"github.com/onelease/onelease/i2p/sam"
)

// A style is what a session is for. Its value has no meaning outside.
type style uint8

const (
	styleStream style = iota
	styleDatagram
	styleDatagram2
	styleDatagram3
	styleRaw
	stylePrimary
	styles
)

// styleRows say how styles are spelt, and which I2CP protocol they are.
var styleRows = [styles]struct {
	name     string
	protocol uint8
}{
	styleStream:    {"STREAM", 6},
	styleDatagram:  {"DATAGRAM", 17},
	styleDatagram2: {"DATAGRAM2", 19},
	styleDatagram3: {"DATAGRAM3", 20},
	styleRaw:       {"RAW", 18},
	stylePrimary:   {"PRIMARY", 0},
}

// String is the style as SAM spells it.
func (s style) String() string { return styleRows[s].name }

// datagrams says whether s is a style of datagrams or raw.
func (s style) datagrams() bool { return s != styleStream && s != stylePrimary }

// styleOf reads a STYLE. MASTER is what PRIMARY was called first.
func styleOf(name string) (style, bool) {
	if name == "MASTER" {
		return stylePrimary, true
	}
	for s := range styles {
		if styleRows[s].name == name {
			return s, true
		}
	}
	return 0, false
}

// ports are a session's defaults for what it sends, and what comes in to it.
type ports struct {
	FromPort, ToPort uint16
	// Protocol is the I2CP protocol of what it sends.
	Protocol uint8
	// ListenPort and ListenProtocol are what it gets; 0 is all that no other
	// subsession gets.
	ListenPort     uint16
	ListenProtocol uint8
	// ForwardHost and ForwardPort are where datagrams go by UDP; port 0: to the owner.
	ForwardHost string
	ForwardPort uint16
	// Header has forwarded RAW begin with a line of ports and protocol.
	Header bool
}

const maxPort = 1<<16 - 1

// readPorts reads the options of ports and protocols of a SESSION CREATE or ADD.
func (s *session) readPorts(cmd *sam.Command) error {
	if err := s.refuseForeign(cmd); err != nil {
		return err
	}
	var err error
	number := func(option string, fallback, limit int) int {
		n, e := cmd.Number(option, fallback, limit)
		if err == nil && e != nil {
			err = sam.Refusef(sam.ResultI2PError, "%v", e)
		}
		return n
	}
	p := &s.ports
	p.FromPort = uint16(number("FROM_PORT", 0, maxPort))
	p.ToPort = uint16(number("TO_PORT", 0, maxPort))
	p.Protocol = uint8(number("PROTOCOL", int(styleRows[s.Style].protocol), 255))
	p.ForwardPort = uint16(number("PORT", 0, maxPort))
	p.ForwardHost = cmd.Value("HOST")
	p.ListenProtocol = p.Protocol
	if s.primary != nil {
		p.ListenPort = uint16(number("LISTEN_PORT", int(p.FromPort), maxPort))
		p.ListenProtocol = uint8(number("LISTEN_PROTOCOL", int(p.Protocol), 255))
	}
	if err != nil {
		return err
	}
	if p.Header, err = cmd.Bool("HEADER", false); err != nil {
		return sam.Refusef(sam.ResultI2PError, "%v", err)
	}
	if err := s.checkPorts(); err != nil {
		return err
	}
	return s.checkPackets()
}

// foreign are the options that some styles must not have ("Session Creation Request").
var foreign = []struct {
	option string
	styles func(style) bool
	subs   bool // of subsessions only
}{
	{"PORT", style.datagrams, false},
	{"HOST", style.datagrams, false},
	{"FROM_PORT", style.ordinary, false},
	{"TO_PORT", style.ordinary, false},
	{"PROTOCOL", style.raw, false},
	{"HEADER", style.raw, false},
	{"LISTEN_PORT", style.ordinary, true},
	{"LISTEN_PROTOCOL", style.raw, true},
}

func (s style) raw() bool      { return s == styleRaw }
func (s style) ordinary() bool { return s != stylePrimary }

// refuseForeign refuses options that mean nothing for the session's style: the client
// would wait for what does not come.
func (s *session) refuseForeign(cmd *sam.Command) error {
	for _, f := range foreign {
		switch {
		case !cmd.Has(f.option):
		case !f.styles(s.Style):
			return sam.Refusef(sam.ResultI2PError, "%s is not for STYLE=%v; leave it out", f.option, s.Style)
		case f.subs && s.primary == nil:
			return sam.Refusef(sam.ResultI2PError, "%s is for SESSION ADD only; leave it out", f.option)
		}
	}
	return nil
}

func (s *session) checkPorts() error {
	streaming := styleRows[styleStream].protocol
	switch p := &s.ports; {
	case s.Style == styleRaw && (p.Protocol == streaming || p.ListenProtocol == streaming):
		return sam.Refusef(sam.ResultI2PError, "protocol %d is that of streams, which RAW cannot have; choose another", streaming)
	case s.Style == styleStream && s.primary != nil && p.ListenPort != 0 && p.ListenPort != p.FromPort:
		return sam.Refusef(sam.ResultI2PError, "LISTEN_PORT=%d: for STREAM it is that of FROM_PORT, or 0", p.ListenPort)
	case p.ForwardHost != "" && p.ForwardPort == 0:
		return sam.Refusef(sam.ResultI2PError, "HOST without PORT: where is it to go? Give both, or none")
	}
	return nil
}

// maxSize is how many bytes a datagram of the style may have ("Sending Repliable or Raw
// Datagrams", "SAM Anonymous (Raw) Datagrams").
func (s style) maxSize() int {
	if s == styleRaw {
		return 32768
	}
	return 31744
}
