package sambridge

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/sam"
	"github.com/onelease/onelease/i2p/streaming"
)

// streamSession is the session that a STREAM command names. A connection that has a
// session, or forwards, is in use.
func (c *conn) streamSession() (*session, error) {
	id := c.cmd.Value("ID")
	switch {
	case c.session != nil:
		return nil, sam.Refusef(sam.ResultI2PError, "v3 control socket cannot be used for STREAM; open another connection")
	case c.forward != nil:
		return nil, sam.Refusef(sam.ResultI2PError, "this connection forwards; open another")
	case id == "":
		return nil, sam.Refusef(sam.ResultI2PError, "ID not specified")
	}
	s := c.b.sessions.find(c.user, id)
	switch {
	case s == nil:
		return nil, sam.Refusef(sam.ResultInvalidID, "STREAM SESSION ID %s does not exist", id)
	case s.Style == stylePrimary:
		return nil, sam.Refusef(sam.ResultI2PError, "ID %s is a PRIMARY session; add a STREAM subsession and use its ID", id)
	case s.Style != styleStream:
		return nil, sam.Refusef(sam.ResultI2PError, "specified ID %s is not a STREAM session", id)
	}
	return s, nil
}

// refuseStream ends a connection whose STREAM command failed. If the client wants
// silence, the end is all that it gets.
func (c *conn) refuseStream(silent bool, err error) error {
	if !silent {
		c.reply(sam.KindStreamStatus, err)
	}
	return errDone
}

func (c *conn) onStreamConnect() error {
	silent, err := c.readSilent()
	if err != nil {
		return c.refuseStream(false, err)
	}
	s, err := c.streamSession()
	if err != nil {
		return c.refuseStream(silent, err)
	}
	if err := s.enter(); err != nil {
		return c.refuseStream(silent, err)
	}
	defer s.leave()
	st, err := c.connect(s)
	if err != nil {
		return c.refuseStream(silent, err)
	}
	s.b.stats.connected.Add(1)
	if !silent && c.reply(sam.KindStreamStatus, nil) != nil {
		st.Reset()
		return errQuit
	}
	return c.carry(s, st, !silent)
}

// readSilent reads SILENT.
func (c *conn) readSilent() (bool, error) {
	silent, err := c.cmd.Bool("SILENT", false)
	if err != nil {
		return false, sam.Refusef(sam.ResultI2PError, "%v", err)
	}
	return silent, nil
}

// connect begins a stream as a STREAM CONNECT asks for.
func (c *conn) connect(s *session) (*streaming.Stream, error) {
	name := c.cmd.Value("DESTINATION")
	from, err := c.cmd.Number("FROM_PORT", int(s.FromPort), maxPort)
	if err != nil {
		return nil, sam.Refusef(sam.ResultI2PError, "%v", err)
	}
	to, err := c.cmd.Number("TO_PORT", int(s.ToPort), maxPort)
	if err != nil {
		return nil, sam.Refusef(sam.ResultI2PError, "%v", err)
	}
	form := formOf(name)
	if form == noDestination {
		return nil, sam.Refusef(sam.ResultInvalidKey, "DESTINATION: want a Destination in base64, a .b32.i2p address or a host name")
	}
	patience := s.connectTime
	if value := c.cmd.Value(connectTimeout); value != "" {
		if err := readConnectTime(value, &patience); err != nil {
			return nil, sam.Refusef(sam.ResultI2PError, "option %s=%.40q: %v", connectTimeout, value, err)
		}
	}
	ctx, cancel := context.WithTimeout(s.ctx, patience)
	defer cancel()
	c.waits()
	st, err := s.dial(ctx, name, uint16(from), uint16(to))
	if err != nil {
		return nil, dialError(err, form)
	}
	return st, nil
}

// connectTimeout is an option of sessions, and as on Java of a STREAM CONNECT too.
const connectTimeout = "i2p.streaming.connectTimeout"

func readConnectTime(value string, to *time.Duration) error {
	return readTime(value, time.Second, 10*time.Minute, to)
}

// dial looks again for a peer that the netDB does not have: it may just be publishing its
// LeaseSet, as two sessions are that one program begins.
func (s *session) dial(ctx context.Context, name string, from, to uint16) (*streaming.Stream, error) {
	began := time.Now()
	for {
		st, err := s.Hosted.Host().DialPorts(ctx, name, from, to)
		if !errors.Is(err, sam.ResultKeyNotFound) || formOf(name) == byName || time.Since(began) > lookTime {
			return st, err
		}
		select {
		case <-time.After(lookAgain):
		case <-ctx.Done():
			return nil, err
		}
	}
}

// lookTime is how long a peer is looked for again, and lookAgain how often. A look-up that
// fails on a real network takes longer than that, and is not done again.
const (
	lookTime  = 8 * time.Second
	lookAgain = 500 * time.Millisecond
)

// A destinationForm is how a client names a remote.
type destinationForm uint8

const (
	noDestination destinationForm = iota
	inBase64
	inBase32
	byName
)

func formOf(name string) destinationForm {
	lower := strings.ToLower(name)
	switch {
	case len(name) > 255:
		return inBase64
	case strings.HasSuffix(lower, ".b32.i2p"):
		return inBase32
	case strings.HasSuffix(lower, ".i2p"):
		return byName
	}
	return noDestination
}

// dialError gives an error of a Dial the Result that it stands for: INVALID_KEY for what
// names nobody, PEER_NOT_FOUND if the network knows no such Destination, CANT_REACH_PEER if
// there is one that does not answer or refuses.
func dialError(err error, form destinationForm) error {
	switch {
	case errors.Is(err, streaming.ErrRefused):
		return sam.Refusef(sam.ResultCantReachPeer, "the peer refused the stream; is the port right?")
	case errors.Is(err, streaming.ErrTimeout), errors.Is(err, context.DeadlineExceeded):
		return sam.Refusef(sam.ResultTimeout, "the peer did not answer in time")
	case errors.Is(err, i2p.ErrInvalid), errors.Is(err, i2p.ErrTruncated), errors.Is(err, i2p.ErrUnsupported):
		return sam.Refusef(sam.ResultInvalidKey, "DESTINATION: %v", err)
	case errors.Is(err, context.Canceled):
		return sam.Refusef(sam.ResultI2PError, "the session has ended")
	case !errors.Is(err, sam.ResultKeyNotFound):
		return sam.Refusef(sam.ResultI2PError, "%v", err)
	case form == inBase64:
		return sam.Refusef(sam.ResultCantReachPeer, "the peer has no LeaseSet in the netDB: it is not running, or publishes none")
	case form == inBase32:
		return sam.Refusef(sam.ResultPeerNotFound, "the netDB has no LeaseSet for that address: the peer is not running, or publishes none")
	}
	return sam.Refusef(sam.ResultInvalidKey, "no router knows that host name")
}

// carry joins the connection and a stream until both have ended. The connection has
// no other use after it. answered says that the client was just told of its CONNECT.
func (c *conn) carry(s *session, st *streaming.Stream, answered bool) error {
	early := c.r.Detach()
	c.r, c.cmd = nil, sam.Command{}
	c.unwatch()
	c.nc.SetDeadline(noDeadline)
	j := newJoint(s, c.nc, st)
	if answered {
		j.answers()
	}
	j.run(early)
	return errQuit
}

// appendRemote appends the line that says whose stream has come ("Accept Response").
func appendRemote(b []byte, st *streaming.Stream, minor int) []byte {
	remote, local := st.RemoteAddr().(*i2p.Addr), st.LocalAddr().(*i2p.Addr)
	b = append(b, remote.Destination.Base64()...)
	if minor >= 2 {
		b = fmt.Appendf(b, " FROM_PORT=%d TO_PORT=%d", remote.Port, local.Port)
	}
	return append(b, '\n')
}
