package sam

import (
	"encoding/hex"
	"fmt"
	"math"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/internal/owner"
)

// The lines of backends that have names.

func hexKey(key []byte) string { return hex.EncodeToString(key) }

// onSessionWeight changes the session's share of what is new, and says so: what
// comes to the backend after that was chosen by the new weight.
func (c *conn) onSessionWeight() error {
	weight, err := c.cmd.Number("VALUE", 0, owner.MaxWeight)
	switch {
	case c.session == nil || c.session.backend == nil:
		err = Refusef(ResultI2PError, "SESSION WEIGHT without a name; say BACKEND=name at SESSION CREATE")
	case err == nil && !c.cmd.Has("VALUE"):
		err = Refusef(ResultI2PError, "SESSION WEIGHT needs VALUE=n, from 0 to %d", owner.MaxWeight)
	}
	if err != nil {
		c.reply(KindSessionWeight, err)
		return nil
	}
	c.session.backend.weight.Store(int32(weight))
	c.w.Append(func(b []byte) []byte {
		b = AppendOption(AppendCommand(b, KindSessionWeight), "RESULT", string(ResultOK))
		return append(AppendNumber(b, "VALUE", weight), '\n')
	})
	return nil
}

// onSessionHeard tells the other backends that a remote was heard by this frontend.
// A line that does not read, or comes from nobody, tells nobody anything.
func (c *conn) onSessionHeard() error {
	remote, err := i2p.ParseBase32(c.cmd.Value("DESTINATION"))
	if err != nil || c.session == nil || c.session.backend == nil {
		return nil
	}
	for _, other := range c.s.live.Load().named {
		if other != c.session {
			other.conn.w.Append(func(b []byte) []byte { return appendHeard(b, remote) })
		}
	}
	return nil
}

// onSessionBegan notes that the backend has the stream that a SYN began which came
// by another frontend.
func (c *conn) onSessionBegan() error {
	remote, err := i2p.ParseBase32(c.cmd.Value("DESTINATION"))
	id, numberErr := c.cmd.Number("ID", 0, math.MaxUint32)
	if err != nil || numberErr != nil || c.session == nil || c.session.backend == nil {
		return nil
	}
	c.s.began.note(uint32(id), beginning{owner.KeyOf(remote), c.session.backend.tag})
	return nil
}

func appendHeard(b []byte, remote i2p.Hash) []byte {
	return append(AppendOption(AppendCommand(b, KindSessionHeard), "DESTINATION", remote.Base32()), '\n')
}

func appendBegan(b []byte, remote i2p.Hash, id uint32) []byte {
	b = AppendNumber(AppendCommand(b, KindSessionBegan), "ID", int(id))
	return append(AppendOption(b, "DESTINATION", remote.Base32()), '\n')
}

func appendWeight(b []byte, weight int) []byte {
	return append(AppendNumber(AppendCommand(b, KindSessionWeight), "VALUE", weight), '\n')
}

// appendCreateNamed appends the options of a SESSION CREATE for cfg.Backend.
func appendCreateNamed(b []byte, cfg *ClientConfig) []byte {
	if cfg.Backend == "" {
		return b
	}
	b = AppendNumber(AppendOption(b, "BACKEND", cfg.Backend), "WEIGHT", cfg.Weight)
	if cfg.Standby {
		b = AppendOption(b, "STANDBY", "true")
	}
	return b
}

// takeNamed reads what the server tells a session that has a name.
func (c *PacketClient) takeNamed(cmd *Command) error {
	c.frontend = cmd.Value("FRONTEND")
	key, err := hex.DecodeString(cmd.Value("ID_KEY"))
	if err != nil || len(key) != 0 && len(key) != owner.KeySize {
		return fmt.Errorf("ID_KEY of the session is not %d bytes in hex: %w", owner.KeySize, ErrSyntax)
	}
	c.idKey = key
	c.weight.Store(int32(c.cfg.Weight))
	return nil
}

// Frontend is what the server calls itself, and IDKey the key of stream IDs by which
// it tells backends apart. Both are empty if it does not say, as one without
// ClientConfig.Backend; such a server gives each backend all packets.
func (c *PacketClient) Frontend() string { return c.frontend }

// IDKey is explained with Frontend.
func (c *PacketClient) IDKey() []byte { return c.idKey }

// SetWeight changes ClientConfig.Weight. Weight says when the server has done so.
func (c *PacketClient) SetWeight(weight int) error {
	return c.w.Append(func(b []byte) []byte { return appendWeight(b, weight) })
}

// Weight is the last that the server has confirmed: all that OnPacket gets later
// was chosen by it, or is of something older.
func (c *PacketClient) Weight() int { return int(c.weight.Load()) }

// Heard has the server tell its other backends that a remote was heard by it.
func (c *PacketClient) Heard(remote i2p.Hash) error {
	return c.w.Append(func(b []byte) []byte { return appendHeard(b, remote) })
}

// Began tells the server that this backend has the stream that a remote's SYN with
// that ID began, which came by another server: if it comes again it is for us.
func (c *PacketClient) Began(remote i2p.Hash, id uint32) error {
	return c.w.Append(func(b []byte) []byte { return appendBegan(b, remote, id) })
}

// onSessionWeight takes the server's confirmation.
func (c *PacketClient) onWeight(cmd *Command) error {
	weight, err := cmd.Number("VALUE", 0, owner.MaxWeight)
	if err == nil {
		err = replyError(cmd)
	}
	if err == nil {
		c.weight.Store(int32(weight))
	}
	return err
}

// onHeard passes on what another backend heard.
func (c *PacketClient) onHeard(cmd *Command) error {
	remote, err := i2p.ParseBase32(cmd.Value("DESTINATION"))
	if err != nil {
		return fmt.Errorf("SESSION HEARD: %w: %w", ErrSyntax, err)
	}
	if c.cfg.OnHeard != nil {
		c.cfg.OnHeard(remote)
	}
	return nil
}
