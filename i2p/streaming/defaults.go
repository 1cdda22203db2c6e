package streaming

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"log/slog"
	"time"

	"github.com/onelease/onelease/i2p/datagram"
)

const (
	// defaultPayload is what a remote takes that does not say: 1730 bytes.
	defaultPayload = 1730
	// minPayload bounds from below what remotes may ask for, so that none makes
	// us send a packet for each byte. Java I2P has the same bound.
	minPayload = 512
	maxPayload = 32 << 10
)

// withDefaults returns the Config that is used, or ErrConfig.
func (c Config) withDefaults() (Config, error) {
	if c.Origin.Destination.IsZero() || c.Origin.Signer == nil && c.Current == nil {
		return c, fmt.Errorf("%w: Origin has no Destination, or no Signer and there is no Current", ErrConfig)
	}
	if c.Current == nil {
		own := c.Origin
		c.Current = func() (*datagram.Origin, error) { return &own, nil }
	}
	if c.Link == nil {
		return c, fmt.Errorf("%w: there is no Link", ErrConfig)
	}
	if c.NewID == nil {
		c.NewID = randomID
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	defaultTo(&c.MaxPayload, 1812)
	if c.MaxPayload < minPayload || c.MaxPayload > maxPayload {
		return c, fmt.Errorf("%w: MaxPayload is %d, want %d to %d", ErrConfig, c.MaxPayload, minPayload, maxPayload)
	}
	defaultTo(&c.SendBuffer, 1<<20)
	defaultTo(&c.ReceiveBuffer, 1<<20)
	if c.SendBuffer < c.MaxPayload || c.ReceiveBuffer < 4*c.MaxPayload {
		return c, fmt.Errorf("%w: SendBuffer is %d and ReceiveBuffer %d, want at least 1 and 4 times MaxPayload",
			ErrConfig, c.SendBuffer, c.ReceiveBuffer)
	}
	defaultTo(&c.ConnectTimeout, time.Minute)
	defaultTo(&c.IdleTimeout, 10*time.Minute)
	defaultTo(&c.GiveUp, 5*time.Minute)
	if c.ConnectTimeout < 0 || c.GiveUp < 0 {
		return c, fmt.Errorf("%w: ConnectTimeout is %v and GiveUp %v, want more than 0", ErrConfig, c.ConnectTimeout, c.GiveUp)
	}
	defaultTo(&c.Limits.Backlog, 128)
	defaultTo(&c.Limits.Streams, 4096)
	defaultTo(&c.Limits.StreamsPerRemote, 256)
	return c, nil
}

func randomID() uint32 {
	var random [4]byte
	rand.Read(random[:])
	return binary.BigEndian.Uint32(random[:])
}

func defaultTo[T comparable](value *T, preset T) {
	var zero T
	if *value == zero {
		*value = preset
	}
}

// below says whether n is below limit, of which a negative one is none.
func below(n, limit int) bool { return limit < 0 || n < limit }
