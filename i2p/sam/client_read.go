package sam

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"time"

	"github.com/onelease/onelease/i2p"
)

// handshake says HELLO and creates the session, within the time of ctx.
func (c *PacketClient) handshake(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() { c.nc.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	hello := AppendOption(AppendCommand(nil, KindHello), "MIN", "3.0")
	hello = append(AppendOption(hello, "MAX", "3.3"), '\n')
	cmd, err := c.ask(hello, KindHelloReply)
	if err == nil {
		cmd, err = c.ask(c.appendCreate(nil), KindSessionStatus)
	}
	if err == nil {
		c.dest, err = publicPart(cmd.Value("DESTINATION"))
	}
	if err == nil {
		c.refuge, err = cmd.Bool("REFUGE", false)
	}
	if err == nil {
		err = c.takeNamed(cmd)
	}
	if cause := context.Cause(ctx); err != nil && cause != nil {
		return fmt.Errorf("%w (%w)", err, cause)
	}
	return err
}

// appendCreate appends the SESSION CREATE. LISTEN_PROTOCOL is always told, for
// its default is not "all".
func (c *PacketClient) appendCreate(b []byte) []byte {
	b = AppendOption(AppendCommand(b, KindSessionCreate), "STYLE", "RAW")
	b = AppendOption(b, "ID", c.cfg.ID)
	b = AppendOption(b, "DESTINATION", c.cfg.Destination)
	b = AppendNumber(b, "LISTEN_PROTOCOL", int(c.cfg.ListenProtocol))
	b = AppendNumber(b, "LISTEN_PORT", int(c.cfg.ListenPort))
	if c.cfg.SendStatus {
		b = AppendOption(b, "SEND_STATUS", "true")
	}
	if c.cfg.OnDrain != nil {
		b = AppendOption(b, "SEND_DRAIN", "true")
	}
	if c.cfg.OnLeaseSet != nil {
		b = AppendOption(b, "SEND_LEASESETS", "true")
	}
	b = appendCreateNamed(b, &c.cfg)
	return append(b, '\n')
}

// ask writes a line and reads the reply, which must be OK.
func (c *PacketClient) ask(line []byte, want Kind) (*Command, error) {
	if _, err := c.nc.Write(line); err != nil {
		return nil, err
	}
	reply, err := c.r.Line()
	if err != nil {
		return nil, err
	}
	var cmd Command
	if err := cmd.Parse(reply); err != nil {
		return nil, err
	}
	if cmd.Kind != want && cmd.Kind != KindSessionStatus {
		return nil, fmt.Errorf("%v: got %.20q %.20q: %w", want, cmd.Verb, cmd.Action, ErrSyntax)
	}
	return &cmd, replyError(&cmd)
}

// replyError is what a reply says: nil, or an error that wraps its Result.
func replyError(cmd *Command) error {
	result := Result(cmd.Value("RESULT"))
	if result == ResultOK {
		return nil
	}
	return fmt.Errorf("%v: %w: %s", cmd.Kind, result, cmd.Value("MESSAGE"))
}

// publicPart is the Destination at the start of private keys.
func publicPart(keys string) (i2p.Destination, error) {
	b, err := i2p.Base64.DecodeString(keys)
	if err != nil {
		return i2p.Destination{}, fmt.Errorf("DESTINATION of the session is not I2P base64: %w", ErrSyntax)
	}
	d, _, err := i2p.ParseDestination(b)
	return d, err
}

// readLoop passes on what the server sends, until that ends.
func (c *PacketClient) readLoop() {
	defer close(c.read)
	var cmd Command
	for {
		line, err := c.r.Line()
		if err == nil {
			err = cmd.Parse(line)
		}
		if err == nil {
			err = c.handle(&cmd)
		}
		if err != nil {
			c.cancel(fmt.Errorf("SAM connection: %w", err))
			return
		}
	}
}

// handle takes one line of the server's. An error ends the session. Lines
// that a later version may send are passed over.
func (c *PacketClient) handle(cmd *Command) error {
	switch cmd.Kind {
	case KindRawReceived:
		return c.onRawReceived(cmd)
	case KindRawStatus:
		return c.onRawStatus(cmd)
	case KindNamingReply:
		c.onNamingReply(cmd)
	case KindPing:
		c.w.Append(func(b []byte) []byte { return AppendText(b, KindPong, cmd.Text) })
	case KindSessionStatus:
		return replyError(cmd)
	case KindSessionWeight:
		return c.onWeight(cmd)
	case KindSessionHeard:
		return c.onHeard(cmd)
	case KindSessionDrain:
		if c.cfg.OnDrain != nil { // a server that was not asked may say it all the same
			return c.onSessionDrain(cmd)
		}
	case KindSessionLeaseSet:
		if c.cfg.OnLeaseSet != nil {
			return c.onSessionLeaseSet(cmd)
		}
	}
	return nil
}

func (c *PacketClient) onRawReceived(cmd *Command) error {
	size, err := cmd.Number("SIZE", 0, MaxPayload)
	if err == nil && size == 0 {
		err = fmt.Errorf("RAW RECEIVED without a SIZE: %w", ErrSyntax)
	}
	if err != nil {
		return err
	}
	p := Packet{Protocol: ProtocolRaw}
	if err := cmd.Ports(&p); err != nil {
		return err
	}
	if p.Data, err = c.r.Payload(size); err != nil {
		return err
	}
	c.cfg.OnPacket(p)
	return nil
}

func (c *PacketClient) onRawStatus(cmd *Command) error {
	id, err := cmd.Number("ID", 0, math.MaxUint32)
	if err != nil {
		return err
	}
	if result, _ := cmd.find("RESULT"); bytes.Equal(result, []byte(ResultOK)) {
		c.cfg.OnStatus(uint32(id), nil)
		return nil
	}
	c.cfg.OnStatus(uint32(id), replyError(cmd))
	return nil
}
