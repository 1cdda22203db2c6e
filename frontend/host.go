package frontend

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/i2cp"
	"github.com/onelease/onelease/i2p/sam"
)

// A refusal is what a backend is told of a packet: made once, so that telling
// it allocates nothing.
type refusal struct {
	result sam.Result
	text   string
}

func (r *refusal) Error() string { return r.text }
func (r *refusal) Unwrap() error { return r.result }

var (
	errRouterDown = &refusal{sam.ResultI2PError, "the router is down; use another frontend"}
	errQueueFull  = &refusal{sam.ResultI2PError, "the router does not take packets fast enough; send slower"}
)

// sendResults are what backends are told of the router's statuses. Those that
// are not here are either no end yet, or not known.
var sendResults = [...]*refusal{
	i2cp.StatusBestEffortFailure:     {sam.ResultCantReachPeer, "the router could not send it"},
	i2cp.StatusFailure:               {sam.ResultCantReachPeer, "the router could not send it"},
	i2cp.StatusLocalFailure:          {sam.ResultCantReachPeer, "a local Destination did not take it"},
	i2cp.StatusRouterFailure:         {sam.ResultI2PError, "the router is shutting down or not ready"},
	i2cp.StatusNetworkFailure:        {sam.ResultI2PError, "the router has no network"},
	i2cp.StatusBadSession:            {sam.ResultI2PError, "the router does not know the session"},
	i2cp.StatusBadMessage:            {sam.ResultI2PError, "the router finds the message invalid"},
	i2cp.StatusBadOptions:            {sam.ResultI2PError, "the router finds the options invalid"},
	i2cp.StatusOverflow:              {sam.ResultI2PError, "the router's queue is full"},
	i2cp.StatusExpired:               {sam.ResultTimeout, "it expired before it was sent"},
	i2cp.StatusBadLocalLeaseSet:      {sam.ResultI2PError, "the router has no valid LeaseSet of ours"},
	i2cp.StatusNoLocalTunnels:        {sam.ResultI2PError, "the router has no tunnels"},
	i2cp.StatusUnsupportedEncryption: {sam.ResultCantReachPeer, "the remote's encryption is not supported"},
	i2cp.StatusBadDestination:        {sam.ResultInvalidKey, "the router finds the Destination invalid"},
	i2cp.StatusBadLeaseSet:           {sam.ResultCantReachPeer, "the remote's LeaseSet is invalid"},
	i2cp.StatusExpiredLeaseSet:       {sam.ResultCantReachPeer, "the remote's LeaseSet has expired"},
	i2cp.StatusNoLeaseSet:            {sam.ResultCantReachPeer, "the remote's LeaseSet was not found"},
	i2cp.StatusMetaLeaseSet:          {sam.ResultCantReachPeer, "the remote's LeaseSet is a meta LeaseSet, which the router cannot use"},
	i2cp.StatusLoopbackDenied:        {sam.ResultCantReachPeer, "it was to itself, which the router denies"},
}

var errUnknownStatus = &refusal{sam.ResultI2PError, "the router failed to send it and gives a reason that is not known here"}

// sendResult says whether s is the last word on a packet, and what a backend
// is told: nil says that the router handed it on, which is the best that a
// router ever says. Delivery it does not know.
func sendResult(s i2cp.Status) (done bool, err error) {
	switch {
	case s == i2cp.StatusAvailable, s == i2cp.StatusAccepted:
		return false, nil
	case !s.Failed():
		return true, nil
	case int(s) < len(sendResults) && sendResults[s] != nil:
		return true, sendResults[s]
	}
	return true, errUnknownStatus
}

// An i2cpHost is what the SAM server works for.
type i2cpHost struct{ f *Frontend }

// Destination implements sam.Host.
func (h i2cpHost) Destination() (i2p.Destination, bool) { return h.f.leases.serving() }

// Send implements sam.Host.
func (h i2cpHost) Send(p sam.Packet) error {
	client := h.f.client.Load()
	if client == nil {
		return errRouterDown
	}
	err := client.Send(p.Peer, p.FromPort, p.ToPort, p.Protocol, p.Data, sendOptions(&p))
	if err == nil {
		h.f.traffic.out.Add(1)
		return nil
	}
	h.f.traffic.dropped.Add(1)
	switch {
	case errors.Is(err, i2cp.ErrNoSession):
		return errRouterDown
	case errors.Is(err, i2cp.ErrQueueFull):
		return errQueueFull
	}
	return fmt.Errorf("%w: %w", sam.ResultI2PError, err)
}

// sendOptions puts what a backend asks for into I2CP's terms.
func sendOptions(p *sam.Packet) i2cp.SendOptions {
	o := i2cp.SendOptions{Nonce: p.ID}
	if p.Options == (sam.SendOptions{}) {
		return o
	}
	o.Flags = i2cp.TagFlags(p.Options.Tags, p.Options.TagThreshold)
	if p.Options.NoLeaseSet {
		o.Flags |= i2cp.FlagNoLeaseSet
	}
	if p.Options.Expires > 0 {
		o.Expires = time.Now().Add(p.Options.Expires)
	}
	return o
}

// Lookup implements sam.Host.
func (h i2cpHost) Lookup(ctx context.Context, name string) (i2p.Destination, error) {
	client := h.f.client.Load()
	if client == nil {
		return i2p.Destination{}, errRouterDown
	}
	dest, err := client.LookupName(ctx, name)
	return dest, lookupError(err)
}

// lookupError puts an error of I2CP into SAM's terms.
func lookupError(err error) error {
	switch {
	case errors.Is(err, i2cp.ErrNotFound):
		return fmt.Errorf("%w: %w", sam.ResultKeyNotFound, err)
	case errors.Is(err, i2cp.ErrNoLeaseSet):
		return fmt.Errorf("%w: %w", sam.ResultLeaseSetNotFound, err)
	case errors.Is(err, i2cp.ErrNoSession):
		return errRouterDown
	}
	return err
}

// LookupOptions implements sam.OptionsHost.
func (h i2cpHost) LookupOptions(ctx context.Context, name string) (i2p.Destination, i2p.Mapping, error) {
	client := h.f.client.Load()
	if client == nil {
		return i2p.Destination{}, nil, errRouterDown
	}
	dest, options, err := client.LookupOptions(ctx, name)
	return dest, options, lookupError(err)
}

// deliver passes a packet from the router to the backends.
func (f *Frontend) deliver(p sam.Packet) {
	f.traffic.in.Add(1)
	if f.server.Deliver(p) == 0 {
		f.traffic.dropped.Add(1)
	}
}

var (
	_ sam.Host        = i2cpHost{}
	_ sam.OptionsHost = i2cpHost{}
)
