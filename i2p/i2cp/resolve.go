package i2cp

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/onelease/onelease/i2p"
)

// lookupTimeout is how long a lookup lasts whose context has no deadline. i2pd
// gives up after 12 s.
const lookupTimeout = 15 * time.Second

// maxLookups bounds the lookups that wait for an answer.
const maxLookups = 1000

// LookupHash asks the router for the Destination of a hash. i2pd needs
// tunnels for that, and fails at once without. The error is ErrNotFound if the
// router says so, else ErrNoSession, ErrQueueFull or that of ctx; without a
// deadline of its own the lookup ends after 15 s. Not to be called by the
// Handler.
func (c *Client) LookupHash(ctx context.Context, hash i2p.Hash) (i2p.Destination, error) {
	dest, err := c.lookup(ctx, HostLookup{Kind: LookupByHash, Hash: hash})
	if err == nil && dest.Hash() != hash {
		err = fmt.Errorf("router answers with another Destination: %w", ErrNotFound)
	}
	if err != nil {
		return i2p.Destination{}, fmt.Errorf("look up %s: %w", hash.Base32(), err)
	}
	return dest, nil
}

// LookupName asks the router for the Destination of a host name in its address
// book, as LookupHash does for a hash. Of a b32 address it asks for the hash.
func (c *Client) LookupName(ctx context.Context, name string) (i2p.Destination, error) {
	if strings.HasSuffix(strings.ToLower(name), ".b32.i2p") {
		if hash, err := i2p.ParseBase32(name); err == nil {
			return c.LookupHash(ctx, hash)
		}
	}
	dest, err := c.lookup(ctx, HostLookup{Kind: LookupByName, Name: name})
	if err != nil {
		return i2p.Destination{}, fmt.Errorf("look up %.60q: %w", name, err)
	}
	return dest, nil
}

// LookupOptions is LookupName, and asks for the options of the LeaseSet as well. They
// are nil, which is not the same as none, if the router does not tell them: i2pd does
// not. The error is also ErrNoLeaseSet, with the Destination if the router knows it.
func (c *Client) LookupOptions(ctx context.Context, name string) (i2p.Destination, i2p.Mapping, error) {
	m := HostLookup{Kind: LookupOptionsByName, Name: name}
	if hash, err := i2p.ParseBase32(name); err == nil {
		m = HostLookup{Kind: LookupOptionsByHash, Hash: hash}
	}
	reply, err := c.ask(ctx, m)
	switch {
	case err != nil:
	case reply.Result == HostFound && (m.Kind.byName() || reply.Destination.Hash() == m.Hash):
		return reply.Destination, reply.Options, nil
	case reply.Result == HostNoLeaseSet:
		err = ErrNoLeaseSet
	default: // i2pd says so of each kind that it does not know
		dest, err := c.LookupName(ctx, name)
		return dest, nil, err
	}
	return reply.Destination, nil, fmt.Errorf("look up %.60q with its options: %w", name, err)
}

func (c *Client) lookup(ctx context.Context, m HostLookup) (i2p.Destination, error) {
	reply, err := c.ask(ctx, m)
	if err == nil && reply.Result != HostFound {
		err = fmt.Errorf("%w: router says %q", ErrNotFound, reply.Result)
	}
	return reply.Destination, err
}

func (c *Client) ask(ctx context.Context, m HostLookup) (HostReply, error) {
	s := c.current.Load()
	if s == nil {
		return HostReply{}, ErrNoSession
	}
	if _, ok := ctx.Deadline(); !ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, lookupTimeout)
		defer cancel()
	}
	deadline, _ := ctx.Deadline()
	m.Session, m.Timeout = s.id, time.Until(deadline)
	return s.lookup(ctx, m)
}

// lookup sends m with a new request number and waits for the answer.
func (s *session) lookup(ctx context.Context, m HostLookup) (HostReply, error) {
	request, reply, err := s.lookups.add()
	if err != nil {
		return HostReply{}, err
	}
	defer s.lookups.remove(request)
	m.Request = request
	if err := s.sendFrame(m); err != nil {
		return HostReply{}, err
	}
	select {
	case r := <-reply:
		return r, nil
	case <-s.ended:
		return HostReply{}, ErrNoSession
	case <-ctx.Done():
		return HostReply{}, ctx.Err()
	}
}

// lookups are those that wait for an answer, by request number.
type lookups struct {
	mu      sync.Mutex
	next    uint32
	waiting map[uint32]chan HostReply
}

func newLookups() lookups { return lookups{waiting: make(map[uint32]chan HostReply)} }

func (l *lookups) add() (uint32, <-chan HostReply, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.waiting) >= maxLookups {
		return 0, nil, fmt.Errorf("%d lookups wait for an answer: %w", maxLookups, ErrQueueFull)
	}
	l.next++
	reply := make(chan HostReply, 1)
	l.waiting[l.next] = reply
	return l.next, reply, nil
}

func (l *lookups) remove(request uint32) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.waiting, request)
}

// answer hands a reply to who waits for it, if somebody still does.
func (l *lookups) answer(m HostReply) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if reply, ok := l.waiting[m.Request]; ok {
		delete(l.waiting, m.Request)
		reply <- m
	}
}
