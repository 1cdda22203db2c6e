package sam

import "errors"

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
	KindHelp:          (*conn).onHelp,
}

// errQuit says that the client asked for the end.
var errQuit = errors.New("client quit")

func (c *conn) onHello() error {
	if c.hello {
		return Refusef(ResultI2PError, "HELLO was said already")
	}
	minor, err := Negotiate(c.cmd.Value("MIN"), c.cmd.Value("MAX"))
	if err != nil {
		return err
	}
	c.hello, c.minor = true, minor
	c.w.Append(func(b []byte) []byte { return AppendHello(b, minor) })
	return nil
}

// onHelp answers HELP, and HELP with a verb, which reads as an option without a
// value.
func (c *conn) onHelp() error {
	topic := ""
	for topic = range c.cmd.Options() {
		break
	}
	c.w.Append(func(b []byte) []byte { return AppendHelp(b, ByFrontend, topic) })
	return nil
}

func (c *conn) onPing() error {
	c.w.Append(func(b []byte) []byte { return AppendText(b, KindPong, c.cmd.Text) })
	if c.session != nil && c.session.sendDrain {
		c.s.tellDrain(c.session)
	}
	return nil
}

// onDestGenerate makes keys for whoever wants some; they are no use here.
func (c *conn) onDestGenerate() error {
	keys, err := MakeKeys(c.cmd.Value("SIGNATURE_TYPE"))
	c.w.Append(func(b []byte) []byte { return AppendDestReply(b, keys, err) })
	return nil
}
