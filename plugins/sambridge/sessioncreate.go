package sambridge

import (
	"context"
	"errors"
	"strings"

	"github.com/onelease/onelease"
	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/sam"
)

// onSessionCreate makes a session. One that is refused leaves the connection as it
// was, so that the client can try another.
func (c *conn) onSessionCreate() error {
	s, err := c.createSession()
	if err != nil {
		return c.reply(sam.KindSessionStatus, err)
	}
	if s == nil {
		return errQuit // the client has gone
	}
	c.session = s
	c.b.log.Debug("session", "style", s.Style, "address", s.Hosted.Keys().Destination.Base32())
	return c.send(func(b []byte) []byte {
		b = sam.AppendResult(sam.AppendCommand(b, sam.KindSessionStatus), nil)
		return append(sam.AppendOption(b, "DESTINATION", s.Hosted.Keys().Base64()), '\n')
	})
}

// createSession returns nil and no error if the client went away meanwhile.
func (c *conn) createSession() (*session, error) {
	if c.session != nil {
		return nil, sam.Refusef(sam.ResultI2PError, "Session already exists; open another connection for one more")
	}
	s := newSession(context.Background(), c)
	opening, err := s.read(&c.cmd)
	if err == nil {
		err = c.b.sessions.add(s)
	}
	if err != nil {
		return nil, err
	}
	here := c.meanwhile(func(ctx context.Context) {
		if err = s.open(ctx, opening); err == nil && opening.Publish {
			s.awaitPublished(ctx)
		}
	})
	if err == nil && here {
		err = s.begin()
	}
	if err != nil || !here {
		s.end()
		return nil, err
	}
	return s, nil
}

// read reads what a SESSION CREATE asks for. It keeps nothing of cmd.
func (s *session) read(cmd *sam.Command) (onelease.Opening, error) {
	o := onelease.Opening{Owner: s.User, Fresh: cmd.Value("DESTINATION") == "TRANSIENT"}
	if err := s.readName(cmd); err != nil {
		return o, err
	}
	if err := s.readPorts(cmd); err != nil {
		return o, err
	}
	var err error
	if o.Keys, err = readKeys(cmd); err != nil {
		return o, err
	}
	s.signatureType = cmd.Value("SIGNATURE_TYPE")
	if err := s.readOptions(cmd, &o); err != nil {
		return o, err
	}
	o.Publish = s.Style != styleStream && !s.dontPublish
	return o, nil
}

// readName reads ID and STYLE.
func (s *session) readName(cmd *sam.Command) error {
	switch {
	case s.ID == "":
		return sam.Refusef(sam.ResultI2PError, "ID not specified")
	case strings.ContainsAny(s.ID, " \t"):
		return sam.Refusef(sam.ResultInvalidID, "ID has a space in it; choose one without")
	case len(s.ID) > maxID:
		return sam.Refusef(sam.ResultInvalidID, "ID has more than %d bytes; choose a shorter one", maxID)
	}
	name := cmd.Value("STYLE")
	if name == "" {
		return sam.Refusef(sam.ResultI2PError, "No SESSION STYLE specified")
	}
	var ok bool
	if s.Style, ok = styleOf(name); !ok {
		return sam.Refusef(sam.ResultI2PError, "Unrecognized SESSION STYLE %.20q; want STREAM, DATAGRAM, DATAGRAM2, DATAGRAM3, RAW or PRIMARY", name)
	}
	return nil
}

// maxID bounds an ID, in bytes.
const maxID = 255

// readKeys reads DESTINATION; nil are new keys, which open makes.
func readKeys(cmd *sam.Command) (*i2p.Keys, error) {
	switch value := cmd.Value("DESTINATION"); value {
	case "":
		return nil, sam.Refusef(sam.ResultI2PError, "DESTINATION not specified; give TRANSIENT or a private key")
	case "TRANSIENT":
		return nil, nil
	default:
		keys, err := i2p.ParseKeysBase64(value)
		if err != nil {
			return nil, sam.Refusef(sam.ResultInvalidKey, "DESTINATION is no private key in base64: %v", err)
		}
		return keys, nil
	}
}

// open has the Destination hosted. One that a session of this bridge still has that is
// ending is waited for: a program that starts again brings the same.
func (s *session) open(ctx context.Context, o onelease.Opening) error {
	ctx, cancel := context.WithTimeout(ctx, s.b.cfg.Limits.OpenTime)
	defer cancel()
	if o.Keys == nil {
		var err error
		if o.Keys, err = makeKeys(ctx, s.signatureType); err != nil {
			return err
		}
	}
	for {
		hosted, err := s.b.cfg.Hosting.Open(ctx, o)
		if err == nil {
			s.Hosted = hosted
			return nil
		}
		if !errors.Is(err, onelease.ErrHosted) || !s.b.sessions.awaitClosed(ctx, o.Keys.Destination.Hash()) {
			return openError(err)
		}
	}
}

// openError gives an error of Open the Result that it stands for.
func openError(err error) error {
	switch {
	case errors.Is(err, onelease.ErrHosted):
		return sam.Refusef(sam.ResultDuplicatedDest, "another session has this Destination")
	case errors.Is(err, onelease.ErrQuota):
		return sam.Refusef(sam.ResultI2PError, "too many sessions; end some")
	case errors.Is(err, context.DeadlineExceeded):
		return sam.Refusef(sam.ResultI2PError, "no router was ready in time; try again: %v", err)
	}
	return sam.Refusef(sam.ResultI2PError, "%v", err)
}

// begin makes the session ready.
func (s *session) begin() error {
	if err := s.beginPackets(); err != nil {
		return err
	}
	s.ready.Store(true)
	s.b.stats.sessions.Add(1)
	go s.watch()
	return nil
}
