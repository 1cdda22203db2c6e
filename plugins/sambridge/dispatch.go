package sambridge

import (
	"bytes"
	"strings"

	"github.com/onelease/onelease/i2p/sam"
)

// handlers serve the commands. An error that one returns ends the connection: what
// only refuses a command sends a reply and returns nil.
//
// Those of datagrams and RAW are in packetsend.go, of NAMING and DEST in naming.go.
var handlers = [sam.Kinds]func(*conn) error{
	sam.KindHello:         (*conn).onHello,
	sam.KindAuthEnable:    (*conn).onAuth,
	sam.KindAuthDisable:   (*conn).onAuth,
	sam.KindAuthAdd:       (*conn).onAuth,
	sam.KindAuthRemove:    (*conn).onAuth,
	sam.KindAuthList:      (*conn).onAuth,
	sam.KindSessionCreate: (*conn).onSessionCreate,
	sam.KindSessionAdd:    (*conn).onSessionAdd,
	sam.KindSessionRemove: (*conn).onSessionRemove,
	sam.KindStreamConnect: (*conn).onStreamConnect,
	sam.KindStreamAccept:  (*conn).onStreamAccept,
	sam.KindStreamForward: (*conn).onStreamForward,
	sam.KindDatagramSend:  (*conn).onDatagramSend,
	sam.KindRawSend:       (*conn).onRawSend,
	sam.KindNamingLookup:  (*conn).onNamingLookup,
	sam.KindDestGenerate:  (*conn).onDestGenerate,
	sam.KindPing:          (*conn).onPing,
	sam.KindPong:          (*conn).onPong,
	sam.KindQuit:          (*conn).onQuit,
	sam.KindStop:          (*conn).onQuit,
	sam.KindExit:          (*conn).onQuit,
	sam.KindHelp:          (*conn).onHelp,
}

// unknown answers a line that is no command, as Java does: "VERB STATUS".
func (c *conn) unknown() error {
	verb, what := c.cmd.Verb, "unsupported command"
	if c.cmd.Action == "" {
		what = "missing or unknown subcommand"
	}
	if !printable(verb) {
		return sam.Refusef(sam.ResultI2PError, "unsupported command, enter HELP for help")
	}
	return c.status(verb, sam.Refusef(sam.ResultI2PError, "%s, enter HELP for help", what))
}

// status sends "VERB STATUS" with the result that err stands for.
func (c *conn) status(verb string, err error) error {
	return c.send(func(b []byte) []byte {
		return append(sam.AppendResult(append(append(b, verb...), " STATUS"...), err), '\n')
	})
}

// printable says whether a verb can be repeated in a reply.
func printable(verb string) bool {
	return len(verb) <= 16 && strings.Trim(verb, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") == ""
}

func trimmed(line []byte) []byte { return bytes.TrimSpace(line) }

func (c *conn) onPong() error {
	c.pings = true
	return nil
}

func (c *conn) onPing() error {
	c.pings = true
	return c.send(func(b []byte) []byte { return sam.AppendText(b, sam.KindPong, c.cmd.Text) })
}

// onQuit ends the connection, and its session with it: who reads the answer may use
// the session's ID again at once.
func (c *conn) onQuit() error {
	verb := c.cmd.Verb
	if c.session != nil {
		c.session.retire()
	}
	c.send(func(b []byte) []byte { return append(append(b, verb...), " STATUS RESULT=OK MESSAGE=bye\n"...) })
	return errDone
}

// onHelp prints the table of commands; HELP STREAM those that begin so.
func (c *conn) onHelp() error {
	topic := ""
	for key := range c.cmd.Options() {
		topic = key
	}
	return c.send(func(b []byte) []byte { return sam.AppendHelp(b, sam.ByBridge, topic) })
}

func (c *conn) onHello() error {
	if c.hello {
		return sam.Refusef(sam.ResultI2PError, "HELLO was said already")
	}
	minor, err := sam.Negotiate(c.cmd.Value("MIN"), c.cmd.Value("MAX"))
	if err == nil {
		err = c.authorize(c.cmd.Value("USER"), c.cmd.Value("PASSWORD"))
	}
	if err != nil {
		return err
	}
	c.hello, c.minor = true, minor
	c.b.crowd.greets(c)
	return c.send(func(b []byte) []byte { return sam.AppendHello(b, minor) })
}
