package backend

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/sam"
	"github.com/onelease/onelease/i2p/streaming"
)

// dialTimeout bounds a DialContext whose context has no deadline.
const dialTimeout = 60 * time.Second

// minBase64 is the least number of characters of a Destination in base64.
const minBase64 = 516

// DialContext begins a stream. It fits http.Transport.DialContext:
//
//	client := http.Client{Transport: &http.Transport{DialContext: host.DialContext}}
//	client.Get("http://example.i2p/")
//
// The network is "i2p", "tcp" or nothing. The address is "name:port", or "name"
// for port 0; the name is a b32 address (as in Addr.String), a Destination in
// base64, or a host name that the frontends' routers know. The connection is a
// *streaming.Stream.
//
// While no frontend is connected, it waits for one. It takes until ctx ends at
// most, or 60 s (Config.Streams.ConnectTimeout) if ctx has no deadline. Its
// error wraps streaming.ErrRefused, streaming.ErrTimeout, the result of a
// lookup that failed (sam.ResultKeyNotFound), ErrNoSigner, net.ErrClosed or
// the error of ctx.
func (h *Host) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := h.dialAddress(ctx, network, address)
	if err != nil {
		return nil, &net.OpError{Op: "dial", Net: i2p.Network, Err: fmt.Errorf("%.80s: %w", address, err)}
	}
	return conn, nil
}

func (h *Host) dialAddress(ctx context.Context, network, address string) (*streaming.Stream, error) {
	switch network {
	case "", i2p.Network, "tcp":
	default:
		return nil, net.UnknownNetworkError(network)
	}
	name, port, err := splitAddress(address)
	if err != nil {
		return nil, err
	}
	return h.DialPorts(ctx, name, 0, port)
}

// DialPorts is DialContext with the port that the remote sees the stream come from. The
// name is without a port. Its errors are bare, and do not name the remote.
func (h *Host) DialPorts(ctx context.Context, name string, from, to uint16) (*streaming.Stream, error) {
	if err := h.canSign(); err != nil {
		return nil, err
	}
	if _, ok := ctx.Deadline(); !ok {
		limited, cancel := context.WithTimeout(ctx, cmp.Or(h.cfg.Streams.ConnectTimeout, dialTimeout))
		defer cancel()
		ctx = limited
	}
	remote, err := h.resolve(ctx, name)
	if err == nil {
		err = h.reach(ctx, remote)
	}
	if err != nil {
		return nil, err
	}
	return h.stack().Dial(ctx, remote, from, to)
}

// reach has the router that will carry a stream look up the LeaseSet of a
// remote that was not heard. That says at once if there is none; and a SYN that
// is sent again during the lookup would keep i2pd 2.58 from getting through
// (see rescue). Then it waits for its turn among neighbors.
func (h *Host) reach(ctx context.Context, to *streaming.Remote) error {
	if h.near(to.Hash) != nil {
		return nil
	}
	if err := h.waitUp(ctx); err != nil {
		return err
	}
	h.mu.Lock()
	l := h.routeLocked(to.Hash)
	r := h.remotes.byHash[to.Hash]
	h.mu.Unlock()
	if l == nil || r != nil && !r.came.IsZero() {
		return nil
	}
	client := l.live.Load()
	if client == nil {
		return nil
	}
	err := askOne(ctx, client, func(ctx context.Context, client *sam.PacketClient) error {
		_, err := client.Lookup(ctx, to.Hash.Base32())
		return err
	})
	if errors.Is(err, sam.ResultKeyNotFound) {
		return err
	}
	return h.cfg.Neighbors.awaitTurn(ctx, to.Hash)
}

// canSign says why a Dial is sure to fail. Before the Destination is known that
// cannot be said, if something is to sign at all.
func (h *Host) canSign() error {
	if s := h.self.Load(); s != nil {
		_, err := s.origin()
		return err
	}
	if !h.cfg.signs() {
		return errUnset
	}
	return nil
}

// splitAddress reads "name:port" and "name".
func splitAddress(address string) (name string, port uint16, err error) {
	at := strings.LastIndexByte(address, ':')
	if at < 0 {
		return address, 0, nil
	}
	n, err := strconv.ParseUint(address[at+1:], 10, 16)
	if err != nil {
		return "", 0, fmt.Errorf("port %.10q, want 0 to 65535: %w", address[at+1:], i2p.ErrInvalid)
	}
	return address[:at], uint16(n), nil
}

// resolve finds whom a name stands for, and waits for a frontend to ask if it
// must.
func (h *Host) resolve(ctx context.Context, name string) (*streaming.Remote, error) {
	hash, err := i2p.ParseBase32(name)
	if err == nil {
		return h.resolveHash(ctx, hash, h.lookupWaiting)
	}
	if strings.HasSuffix(strings.ToLower(name), ".b32.i2p") {
		return nil, err
	}
	find := h.lookupWaiting
	if len(name) >= minBase64 {
		find = func(context.Context, string) (i2p.Destination, error) { return i2p.ParseDestinationBase64(name) }
	}
	dest, err := find(ctx, name)
	if err != nil {
		return nil, err
	}
	return streaming.NewRemote(dest), nil
}

// resolveHash finds the Destination of that hash: one that is remembered, or
// what lookup says.
func (h *Host) resolveHash(ctx context.Context, hash i2p.Hash, lookup lookupFunc) (*streaming.Remote, error) {
	if known := h.known(hash, false); known != nil {
		return known, nil
	}
	if near := h.near(hash); near != nil {
		return streaming.NewRemote(near.Destination()), nil
	}
	dest, err := lookup(ctx, hash.Base32())
	if err != nil {
		return nil, err
	}
	found := streaming.NewRemote(dest)
	if found.Hash != hash {
		return nil, fmt.Errorf("look up %s: the answer is of %s: %w", hash.Base32(), dest.Base32(), i2p.ErrInvalid)
	}
	h.resolved(found)
	return found, nil
}

type lookupFunc func(ctx context.Context, name string) (i2p.Destination, error)

// lookupWaiting is Lookup once there is a frontend. One that is lost during the
// lookup is as if there had been none.
func (h *Host) lookupWaiting(ctx context.Context, name string) (i2p.Destination, error) {
	for {
		if err := h.waitUp(ctx); err != nil {
			return i2p.Destination{}, err
		}
		dest, err := h.Lookup(ctx, name)
		if !errors.Is(err, ErrNoFrontend) && !errors.Is(err, sam.ErrClosed) {
			return dest, err
		}
	}
}

// waitUp waits until a frontend is up.
func (h *Host) waitUp(ctx context.Context) error {
	for {
		h.mu.Lock()
		someUp := h.someUp
		h.mu.Unlock()
		if h.anyClient() != nil {
			return nil
		}
		select {
		case <-someUp:
		case <-h.stop:
			return net.ErrClosed
		case <-ctx.Done():
			return fmt.Errorf("wait for a frontend: %w", context.Cause(ctx))
		}
	}
}
