package sam

import (
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/onelease/onelease/i2p"
)

// handlers serve the commands. An error that one returns ends the connection.
var handlers = [kindCount]func(*conn) error{
	KindHello:         (*conn).onHello,
	KindSessionCreate: (*conn).onSessionCreate,
	KindSessionWeight: (*conn).onSessionWeight,
	KindSessionHeard:  (*conn).onSessionHeard,
	KindSessionBegan:  (*conn).onSessionBegan,
	KindRawSend:       (*conn).onRawSend,
	KindNamingLookup:  (*conn).onNamingLookup,
	KindDestGenerate:  (*conn).onDestGenerate,
	KindPing:          (*conn).onPing,
	KindPong:          func(*conn) error { return nil },
	KindQuit:          func(*conn) error { return errQuit },
	KindStop:          func(*conn) error { return errQuit },
	KindExit:          func(*conn) error { return errQuit },
}

// errQuit says that the client asked for the end.
var errQuit = errors.New("client quit")

// The versions of SAM 3 that are served, by their minor numbers.
const (
	major    = 3
	newest   = 3
	minorMax = 99
)

func (c *conn) onHello() error {
	if c.hello {
		return refusef(ResultI2PError, "HELLO was said already")
	}
	minor, err := negotiate(c.cmd.Value("MIN"), c.cmd.Value("MAX"))
	if err != nil {
		return err
	}
	c.hello, c.minor = true, minor
	c.w.Append(func(b []byte) []byte {
		b = AppendOption(AppendCommand(b, KindHelloReply), "RESULT", string(ResultOK))
		return append(AppendOption(b, "VERSION", fmt.Sprintf("%d.%d", major, minor)), '\n')
	})
	return nil
}

// negotiate returns the minor number of the newest version within the limits
// of a client, which are optional.
func negotiate(low, high string) (int, error) {
	least, err := version(low, "MIN", 0)
	if err != nil {
		return 0, err
	}
	most, err := version(high, "MAX", math.MaxInt)
	if err != nil {
		return 0, err
	}
	best := min(most, versionNumber(major, newest))
	if best < least || best < versionNumber(major, 0) {
		return 0, refusef(ResultNoVersion, "versions 3.0 to 3.%d are served", newest)
	}
	return best - versionNumber(major, 0), nil
}

// version reads "3.1", or "3" for "3.0" ("SAM Connection Handshake").
func version(s, option string, fallback int) (int, error) {
	if s == "" {
		return fallback, nil
	}
	head, tail, dotted := strings.Cut(s, ".")
	if !dotted {
		tail = "0"
	}
	high, ok1 := decimal([]byte(head), minorMax)
	low, ok2 := decimal([]byte(tail), minorMax)
	if !ok1 || !ok2 {
		return 0, refusef(ResultI2PError, "%s=%.20s: want a version such as 3.3", option, s)
	}
	return versionNumber(high, low), nil
}

func versionNumber(high, low int) int { return high*(minorMax+1) + low }

func (c *conn) onSessionCreate() error {
	if c.session != nil {
		c.reply(KindSessionStatus, refusef(ResultI2PError, "this connection has a session; open another for one more"))
		return nil
	}
	ss, err := newSession(c, &c.cmd)
	if err == nil {
		err = c.s.add(ss, c.cmd.Value("DESTINATION"))
	}
	if err != nil {
		c.reply(KindSessionStatus, err)
		return nil
	}
	c.session = ss
	if ss.backend != nil {
		go ss.watch(c.ctx)
	}
	return nil
}

func (c *conn) onPing() error {
	c.w.Append(func(b []byte) []byte { return appendText(b, KindPong, c.cmd.Text) })
	if c.session != nil && c.session.sendDrain {
		c.s.tellDrain(c.session)
	}
	return nil
}

// onDestGenerate makes keys for whoever wants some; they are no use here.
func (c *conn) onDestGenerate() error {
	switch t := c.cmd.Value("SIGNATURE_TYPE"); {
	case t == "", t == "7", strings.EqualFold(t, "EdDSA_SHA512_Ed25519"):
	default:
		c.reply(KindDestReply, refusef(ResultI2PError, "SIGNATURE_TYPE=%.30s cannot be made; use 7 (Ed25519)", t))
		return nil
	}
	keys, err := i2p.GenerateKeys()
	if err != nil {
		c.reply(KindDestReply, err)
		return nil
	}
	private := append(append(keys.Destination.Bytes(), keys.Encryption...), keys.Signing...)
	c.w.Append(func(b []byte) []byte {
		b = AppendOption(AppendCommand(b, KindDestReply), "PUB", keys.Destination.Base64())
		return append(AppendOption(b, "PRIV", i2p.Base64.EncodeToString(private)), '\n')
	})
	return nil
}
