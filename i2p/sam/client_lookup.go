package sam

import (
	"context"
	"fmt"
	"slices"

	"github.com/onelease/onelease/i2p"
)

// An answer is what a lookup came to.
type answer struct {
	dest i2p.Destination
	err  error
}

// Lookup resolves a b32 address, a host name or ME. An error wraps the Result
// that the server gave, ErrClosed or the error of ctx.
func (c *PacketClient) Lookup(ctx context.Context, name string) (i2p.Destination, error) {
	if needsQuotes(name) {
		return i2p.Destination{}, fmt.Errorf("look up %.60q: not a name: %w", name, ResultInvalidKey)
	}
	wait := make(chan answer, 1)
	if err := c.startLookup(name, wait); err != nil {
		return i2p.Destination{}, fmt.Errorf("look up %.60q: %w", name, err)
	}
	defer c.endLookup(name, wait)
	select {
	case a := <-wait:
		return a.dest, a.err
	case <-ctx.Done():
		return i2p.Destination{}, fmt.Errorf("look up %.60q: %w", name, ctx.Err())
	case <-c.ctx.Done():
		return i2p.Destination{}, fmt.Errorf("look up %.60q: %w: %w", name, ErrClosed, c.Err())
	}
}

// startLookup asks the server, unless that is done for another caller already.
func (c *PacketClient) startLookup(name string, wait chan answer) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.waits[name]) == 0 {
		err := c.w.Append(func(b []byte) []byte {
			return append(AppendOption(AppendCommand(b, KindNamingLookup), "NAME", name), '\n')
		})
		if err != nil {
			return err
		}
	}
	c.waits[name] = append(c.waits[name], wait)
	return nil
}

func (c *PacketClient) endLookup(name string, wait chan answer) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.waits[name] = slices.DeleteFunc(c.waits[name], func(w chan answer) bool { return w == wait })
	if len(c.waits[name]) == 0 {
		delete(c.waits, name)
	}
}

func (c *PacketClient) onNamingReply(cmd *Command) {
	var a answer
	if a.err = replyError(cmd); a.err == nil {
		a.dest, a.err = i2p.ParseDestinationBase64(cmd.Value("VALUE"))
	}
	name := cmd.Value("NAME")
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, wait := range c.waits[name] {
		wait <- a
	}
	delete(c.waits, name)
}
