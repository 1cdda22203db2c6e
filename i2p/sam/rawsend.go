package sam

import (
	"bytes"
	"math"

	"github.com/onelease/onelease/i2p"
)

// onRawSend takes a packet from a backend. Only an unusable SIZE ends the
// connection, for then nobody knows where the next line begins.
func (c *conn) onRawSend() error {
	size, err := c.cmd.Number("SIZE", 0, MaxPayload)
	if err != nil || size == 0 {
		return Refusef(ResultI2PError, "RAW SEND needs SIZE=n, from 1 to %d", MaxPayload)
	}
	ss := c.session
	if ss == nil {
		if _, err := c.r.Payload(size); err != nil {
			return err
		}
		c.reply(KindSessionStatus, Refusef(ResultI2PError, "RAW SEND without a session; begin with SESSION CREATE"))
		return nil
	}
	p, name, refused := ss.outgoing(&c.cmd)
	if p.Data, err = c.r.Payload(size); err != nil {
		return err
	}
	ss.send(p, name, refused)
	return nil
}

// outgoing reads the options of a packet to send, but for its data. A name is
// returned if the peer has to be looked up first.
func (ss *session) outgoing(cmd *Command) (p Packet, name string, err error) {
	p = ss.defaults
	if ss.sendStatus {
		id, err := cmd.Number("ID", 0, math.MaxUint32)
		if err != nil {
			return p, "", err
		}
		p.ID = uint32(id)
	}
	if err := cmd.Ports(&p); err != nil {
		return p, "", err
	}
	if err := cmd.SendOptions(&p.Options); err != nil {
		return p, "", err
	}
	to, _ := cmd.find("DESTINATION")
	name, err = ss.address(&p, to)
	return p, name, err
}

// address sets the peer of p, or returns the name to look it up by.
func (ss *session) address(p *Packet, to []byte) (name string, err error) {
	if len(to) == 0 {
		return "", Refusef(ResultInvalidKey, "DESTINATION is missing")
	}
	if isBase64(to) {
		p.Peer, err = ss.conn.decode(to)
		return "", err
	}
	if d, ok := ss.conn.dests.find(to); ok {
		p.Peer = d
		return "", nil
	}
	return string(to), nil
}

// send passes a packet on, now or when its name is known, and sees to it that
// its status is told.
func (ss *session) send(p Packet, name string, err error) {
	switch {
	case err != nil:
		ss.unsent(p.ID, err)
	case name != "":
		ss.sendByName(p, name)
	default:
		ss.sendNow(p)
	}
}

func (ss *session) sendNow(p Packet) {
	id := p.ID
	if id != 0 && !ss.expect(&p) {
		return
	}
	if err := ss.conn.s.cfg.Host.Send(p); err != nil {
		ss.conn.s.pending.take(p.ID)
		ss.conn.s.endPing(p.ID, err)
		ss.unsent(id, err)
		return
	}
	ss.sent.Add(1)
}

func (ss *session) sendByName(p Packet, name string) {
	p.Data = bytes.Clone(p.Data)
	started := ss.conn.startLookup(name, func(d i2p.Destination, err error) {
		p.Peer = d
		ss.send(p, "", err)
	})
	if !started {
		ss.unsent(p.ID, Refusef(ResultI2PError, "%d lookups are under way; send by base64", maxLookups))
	}
}

// unsent counts a packet that was not taken, and tells who asked.
func (ss *session) unsent(id uint32, err error) {
	ss.refused.Add(1)
	if id != 0 {
		ss.conn.rawStatus(id, err)
	}
}

func (c *conn) rawStatus(id uint32, err error) {
	c.w.Append(func(b []byte) []byte {
		b = AppendNumber(AppendCommand(b, KindRawStatus), "ID", int(id))
		b = AppendOption(b, "RESULT", string(ResultOf(err)))
		if err != nil {
			b = AppendOption(b, "MESSAGE", err.Error())
		}
		return append(b, '\n')
	})
}
