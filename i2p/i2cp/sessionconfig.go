package i2cp

import (
	"encoding/binary"
	"fmt"
	"time"

	"github.com/onelease/onelease/i2p"
)

// A SessionConfig names the Destination of a session and its options, signed
// by whoever holds the Destination's key ("Session Config").
type SessionConfig struct {
	Destination i2p.Destination
	Options     i2p.Mapping
	// Date has a resolution of 1 ms. Java I2P takes it within 30 s to 3 min
	// of its clock, i2pd whatever it is.
	Date      time.Time
	Signature []byte
}

// BuildSessionConfig signs and encodes a configuration for AppendCreateSession
// and ReconfigureSession.
func BuildSessionConfig(signer i2p.Signer, dest i2p.Destination, options i2p.Mapping, date time.Time) ([]byte, error) {
	c := SessionConfig{Destination: dest, Options: options, Date: date}
	b, err := c.appendSigned(nil)
	if err != nil {
		return nil, fmt.Errorf("build session configuration: %w", err)
	}
	signature, err := signer.Sign(b)
	if err != nil {
		return nil, fmt.Errorf("build session configuration: %w", err)
	}
	return append(b, signature...), nil
}

// appendSigned appends what the signature covers.
func (c *SessionConfig) appendSigned(b []byte) ([]byte, error) {
	b, err := c.Options.AppendTo(c.Destination.AppendTo(b))
	if err != nil {
		return nil, err
	}
	return binary.BigEndian.AppendUint64(b, millis(c.Date)), nil
}

// ParseSessionConfig reads the body of a CreateSession and the Config of a
// ReconfigureSession. It checks the form; Verify checks the signature.
func ParseSessionConfig(b []byte) (SessionConfig, error) {
	c := cursor{rest: b}
	config := SessionConfig{Destination: c.destination(), Options: c.mapping(), Date: c.date()}
	if c.err == nil {
		var key i2p.SigningPublicKey
		key, _, c.err = config.signer()
		config.Signature = append([]byte(nil), c.take(key.Type.SignatureSize())...)
	}
	if c.err != nil {
		return SessionConfig{}, fmt.Errorf("parse session configuration: %w", c.err)
	}
	return config, nil
}

// Verify returns nil if c bears a signature of its Destination, or of the transient
// key that its OfflineOptions name and the Destination permits; it does not look
// at dates. Options that were not sorted do not verify, as in Java I2P.
func (c *SessionConfig) Verify() error {
	key, offline, err := c.signer()
	if offline != nil {
		err = offline.Verify(c.Destination)
	}
	var signed []byte
	if err == nil {
		signed, err = c.appendSigned(nil)
	}
	if err == nil {
		err = key.Verify(signed, c.Signature)
	}
	if err != nil {
		return fmt.Errorf("verify session configuration: %w", err)
	}
	return nil
}
