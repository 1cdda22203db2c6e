package samclient

import (
	"context"
	"fmt"
	"strings"
)

// A session is a Destination on a router, for as long as its control connection.
type session struct {
	id          string
	privateKey  string
	destination string
	control     *control
}

// create opens the session and waits until the router has built its tunnels;
// i2pd 2.45.1 looks only every 20 s. When ctx ends first, the session ends too.
func (s *session) create(ctx context.Context, bridge, style string, o Options, more ...string) error {
	c, release, err := dial(ctx, bridge)
	if err != nil {
		return err
	}
	values, err := c.ask(createCommand(s.id, style, o, more), "SESSION STATUS")
	if err == nil {
		s.privateKey = values["DESTINATION"]
		s.destination, err = destinationOf(s.privateKey)
	}
	if !release() || err != nil {
		c.conn.Close()
		return firstOf(context.Cause(ctx), err)
	}
	s.control = c
	return nil
}

func createCommand(id, style string, o Options, more []string) string {
	key := o.PrivateKey
	if key == "" {
		key = "TRANSIENT"
	}
	words := []string{fmt.Sprintf("SESSION CREATE STYLE=%s ID=%s DESTINATION=%s SIGNATURE_TYPE=7", style, id, key)}
	return strings.Join(append(append(words, more...), o.Params...), " ")
}

// Destination is the session's public address, in I2P base64.
func (s *session) Destination() string { return s.destination }

// PrivateKey is what to give to Options to open the same Destination again.
func (s *session) PrivateKey() string { return s.privateKey }

// Hash is the SHA-256 of the Destination, its key in the netDB.
func (s *session) Hash() [32]byte {
	hash, _ := HashOf(s.destination) // create has decoded it before
	return hash
}
