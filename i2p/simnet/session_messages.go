package simnet

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/i2cp"
)

// defaultQuantity is that of inbound tunnels (i2pd Destination.h,
// DEFAULT_INBOUND_TUNNELS_QUANTITY).
const defaultQuantity = 5

// Options of a session that this package heeds.
const (
	optionQuantity    = "inbound.quantity"
	optionDontPublish = "i2cp.dontPublishLeaseSet"
	optionReliability = "i2cp.messageReliability"
	optionPeers       = "explicitPeers"
	optionTransient   = "i2cp.leaseSetTransientPublicKey"
)

// handle does what one frame asks for. An error ends the connection.
func (s *session) handle(t i2cp.MessageType, body []byte) error {
	n := s.router.net
	n.mu.Lock()
	defer n.mu.Unlock()
	if s.router.state == routerDown {
		return ErrRouterDown
	}
	switch t {
	case i2cp.TypeGetDate:
		return s.getDate(body)
	case i2cp.TypeCreateSession:
		return s.createSession(body)
	case i2cp.TypeReconfigureSession:
		return s.reconfigure(body)
	case i2cp.TypeDestroySession:
		return s.destroy()
	case i2cp.TypeCreateLeaseSet2:
		return s.createLeaseSet(body)
	case i2cp.TypeSendMessage, i2cp.TypeSendMessageExpires:
		return s.sendMessage(t, body)
	case i2cp.TypeHostLookup:
		return s.hostLookup(body)
	}
	return nil // i2pd I2CP.cpp, HandleMessage: unknown types are ignored
}

func (s *session) getDate(body []byte) error {
	m, err := i2cp.ParseGetDate(body)
	if err != nil {
		return malformed(err)
	}
	version := orDefault(s.router.cfg.Profile.APIVersion, m.Version)
	return s.write(i2cp.SetDate{Date: time.Now(), Version: version}.AppendFrame)
}

func (s *session) sessionStatus(state i2cp.SessionState) error {
	return s.write(i2cp.SessionStatus{Session: s.id, State: state}.AppendFrame)
}

// createSession refuses as i2pd does: "invalid" for what is wrong in itself
// and for a Destination that the router already has, "refused" for a second
// session on one connection.
func (s *session) createSession(body []byte) error {
	if s.dest != nil {
		return s.sessionStatus(i2cp.SessionRefused)
	}
	config, err := i2cp.ParseSessionConfig(body)
	if err == nil {
		err = config.Verify()
	}
	if err == nil {
		err = s.checkConfig(&config)
	}
	if err != nil || s.router.dests[config.Destination.Hash()] != nil {
		return s.sessionStatus(i2cp.SessionInvalid)
	}
	s.id = uint16(s.router.rng.UintN(uint(i2cp.NoSession)))
	s.accepts = config.Options[optionReliability] != "none"
	rules := &s.router.cfg.Profile.I2CP
	s.dest = s.router.newDestinationLocked(s, config.Destination, quantityOf(config.Options, defaultQuantity),
		rules.publishes(config.Options, true))
	s.dest.options = config.Options
	s.dest.restrictLocked(config.Options[optionPeers])
	s.dest.startLocked()
	s.dest.observeLocked(EventSessionUp, nil, "")
	return s.sessionStatus(i2cp.SessionCreated)
}

// checkConfig refuses what the router's make refuses of what is signed well.
func (s *session) checkConfig(config *i2cp.SessionConfig) error {
	rules := &s.router.cfg.Profile.I2CP
	if _, offline := config.Options[optionTransient]; offline && !rules.Offline {
		return errors.New("session configuration is not signed by the Destination's key")
	}
	within := rules.DateWithin
	if off := time.Since(config.Date).Abs(); within > 0 && off > within {
		return fmt.Errorf("session configuration's date is off by %v", off)
	}
	return nil
}

// quantityOf reads the number of inbound tunnels; out of range is brought back
// into it, not a number is ignored.
func quantityOf(options i2p.Mapping, old int) int {
	n, err := strconv.Atoi(options[optionQuantity])
	if err != nil {
		return old
	}
	return min(max(n, 1), i2p.MaxLeases)
}

// publishes reads "i2cp.dontPublishLeaseSet" as the router's make does.
func (r *I2CPRules) publishes(options i2p.Mapping, old bool) bool {
	value, ok := options[optionDontPublish]
	if !ok {
		return old
	}
	return (value == "true") == r.DontPublishInverted
}

func (s *session) reconfigure(body []byte) error {
	m, err := i2cp.ParseReconfigureSession(body)
	if err != nil {
		return malformed(err)
	}
	config, err := i2cp.ParseSessionConfig(m.Config)
	if err == nil {
		err = config.Verify()
	}
	if err != nil || s.dest == nil || m.Session != s.id || config.Destination != s.dest.dest {
		return s.sessionStatus(i2cp.SessionInvalid)
	}
	d := s.dest
	d.public = s.router.cfg.Profile.I2CP.publishes(config.Options, d.public)
	d.quantity = quantityOf(config.Options, d.quantity)
	replace := s.router.net.cfg.Tunnels.Replace
	d.fillPoolLocked(replace/2, replace+replace/2) // within 5 to 15 s (seen with i2pd)
	return s.sessionStatus(i2cp.SessionUpdated)
}

var errDestroyed = errors.New("session destroyed by its client")

func (s *session) destroy() error {
	if s.router.cfg.Profile.I2CP.Disconnects {
		s.write(i2cp.Disconnect{Reason: "session destroyed"}.AppendFrame)
	} else {
		s.sessionStatus(i2cp.SessionDestroyed)
	}
	return errDestroyed
}
