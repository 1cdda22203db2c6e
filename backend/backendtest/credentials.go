package backendtest

import (
	"sync"
	"testing"
	"time"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/datagram"
)

// Credentials are backend.Credentials in the hands of a test. They have no
// permission at first.
type Credentials struct {
	t    testing.TB
	keys *i2p.Keys

	mu      sync.Mutex
	origin  *datagram.Origin
	changed chan struct{}
}

// NewCredentials returns some of the Destination that has keys.
func NewCredentials(t testing.TB, keys *i2p.Keys) *Credentials {
	return &Credentials{t: t, keys: keys, changed: make(chan struct{})}
}

// Permit makes a new transient key that may sign for that long, and has it used.
func (c *Credentials) Permit(life time.Duration) *datagram.Origin {
	c.t.Helper()
	transient, err := i2p.GenerateKeys()
	if err != nil {
		c.t.Fatal(err)
	}
	offline, err := i2p.SignOffline(c.keys, transient.Destination.SigningKey(), time.Now().Add(life))
	if err != nil {
		c.t.Fatal(err)
	}
	o := &datagram.Origin{Destination: c.keys.Destination, Signer: transient, Offline: offline}
	c.Set(o)
	return o
}

// Set has o used from now on.
func (c *Credentials) Set(o *datagram.Origin) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.origin = o
	close(c.changed)
	c.changed = make(chan struct{})
}

// Origin implements backend.Credentials.
func (c *Credentials) Origin() *datagram.Origin {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.origin
}

// Changed implements backend.Credentials.
func (c *Credentials) Changed() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.changed
}
