package sam

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/onelease/onelease/i2p"
)

// An answer is what a lookup came to.
type answer struct {
	dest    i2p.Destination
	options i2p.Mapping
	err     error
}

// A question is a name, and whether the options of its LeaseSet are asked for.
type question struct {
	name    string
	options bool
}

// Lookup resolves a b32 address, a host name or ME. An error wraps the Result
// that the server gave, ErrClosed or the error of ctx.
func (c *PacketClient) Lookup(ctx context.Context, name string) (i2p.Destination, error) {
	a := c.lookUp(ctx, question{name: name})
	return a.dest, a.err
}

// LookupOptions is Lookup, and asks for the options of the LeaseSet as well, nil if
// the router or the server does not tell them. An error may be
// ResultLeaseSetNotFound too.
func (c *PacketClient) LookupOptions(ctx context.Context, name string) (i2p.Destination, i2p.Mapping, error) {
	a := c.lookUp(ctx, question{name, true})
	return a.dest, a.options, a.err
}

func (c *PacketClient) lookUp(ctx context.Context, q question) answer {
	if needsQuotes(q.name) {
		return answer{err: fmt.Errorf("look up %.60q: not a name: %w", q.name, ResultInvalidKey)}
	}
	wait := make(chan answer, 1)
	if err := c.startLookup(q, wait); err != nil {
		return answer{err: fmt.Errorf("look up %.60q: %w", q.name, err)}
	}
	defer c.endLookup(q, wait)
	select {
	case a := <-wait:
		return a
	case <-ctx.Done():
		return answer{err: fmt.Errorf("look up %.60q: %w", q.name, ctx.Err())}
	case <-c.ctx.Done():
		return answer{err: fmt.Errorf("look up %.60q: %w: %w", q.name, ErrClosed, c.Err())}
	}
}

// startLookup asks the server, unless that is done for another caller already.
func (c *PacketClient) startLookup(q question, wait chan answer) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.waits[q]) == 0 {
		err := c.w.Append(func(b []byte) []byte {
			b = AppendOption(AppendCommand(b, KindNamingLookup), "NAME", q.name)
			if q.options {
				b = AppendOption(b, "OPTIONS", "true")
			}
			return append(b, '\n')
		})
		if err != nil {
			return err
		}
	}
	c.waits[q] = append(c.waits[q], wait)
	return nil
}

func (c *PacketClient) endLookup(q question, wait chan answer) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.waits[q] = slices.DeleteFunc(c.waits[q], func(w chan answer) bool { return w == wait })
	if len(c.waits[q]) == 0 {
		delete(c.waits, q)
	}
}

func (c *PacketClient) onNamingReply(cmd *Command) {
	var a answer
	if a.err = replyError(cmd); a.err == nil {
		a.dest, a.err = i2p.ParseDestinationBase64(cmd.Value("VALUE"))
	}
	q := question{cmd.Value("NAME"), cmd.Has("OPTIONS")}
	if q.options && a.err == nil {
		a.options = foundOptions(cmd)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if !q.options && len(c.waits[q]) == 0 { // a server that knows no options
		q.options = true
	}
	for _, wait := range c.waits[q] {
		wait <- a
	}
	delete(c.waits, q)
}

// foundOptions are those of a LeaseSet in a reply.
func foundOptions(cmd *Command) i2p.Mapping {
	options := i2p.Mapping{}
	for key, value := range cmd.Options() {
		if name, ok := strings.CutPrefix(key, optionPrefix); ok {
			options[name] = value
		}
	}
	return options
}
