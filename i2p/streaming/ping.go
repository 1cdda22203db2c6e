package streaming

import (
	"encoding/binary"
	"fmt"
	"sync"
	"time"

	"github.com/onelease/onelease/i2p/datagram"
)

const (
	// pongRate and resetRate bound answers to whom no stream is with, for each
	// second; as many may come at once. Each costs a signature check or two.
	pongRate  = 50
	resetRate = 50
)

// AppendPing appends a ping, signed by o, whose answer has id, which must not
// be 0, and payload.
func AppendPing(b []byte, o *datagram.Origin, id uint32, payload []byte) ([]byte, error) {
	p := Packet{SendID: id, Flags: FlagEcho | FlagFrom, Payload: payload}
	b, err := p.AppendSigned(b, o)
	if err != nil {
		return b, fmt.Errorf("ping: %w", err)
	}
	return b, nil
}

// ParsePong returns what the pong b returns of its ping. payload is a view.
func ParsePong(b []byte) (id uint32, payload []byte, ok bool) {
	if len(b) < headerSize || binary.BigEndian.Uint32(b) != 0 {
		return 0, nil, false
	}
	var p Packet
	if p.Parse(b) != nil || p.Flags&FlagEcho == 0 || p.Flags&FlagSync != 0 {
		return 0, nil, false
	}
	return p.ReceiveID, p.Payload, true
}

// receivePing answers a ping.
func (s *Stack) receivePing(p *Packet, in *Inbound) bool {
	if p.SendID == 0 || s.cfg.NoPongs || len(p.Payload) > s.cfg.MaxPayload {
		return false
	}
	if !s.pings.take(s.now(), pongRate) {
		return true
	}
	remote, err := p.parseRemote()
	if err != nil {
		s.counters.unsigned.Add(1)
		return true
	}
	s.cfg.Link.Heard(remote, in.Via)
	s.sendPacket(nil, remote, in.ToPort, in.FromPort, &Packet{
		ReceiveID: p.SendID,
		Flags:     FlagEcho,
		Payload:   p.Payload,
	})
	return true
}

// tokens lets things happen at a rate. Its zero value is full.
type tokens struct {
	mu   sync.Mutex
	used float64
	at   time.Duration
}

// take uses a token, if there is one.
func (t *tokens) take(now time.Duration, perSecond float64) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.used = max(0, t.used-perSecond*(now-t.at).Seconds())
	t.at = now
	if t.used+1 > perSecond {
		return false
	}
	t.used++
	return true
}
