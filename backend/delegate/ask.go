package delegate

import (
	"context"
	"fmt"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/onelease/onelease/balancer/controlpb"
	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/datagram"
)

const (
	// controlVersion is the version of the control protocol.
	controlVersion = 1
	// askTimeout bounds one question, connecting included.
	askTimeout = 10 * time.Second
)

// ask asks one balancer, with a transient key that is new each time. leader is
// set if another one is to be asked.
func (c *Client) ask(ctx context.Context, target string) (origin *datagram.Origin, leader string, err error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	transient, err := i2p.GenerateKeys()
	if err != nil {
		return nil, "", err
	}
	reply, err := c.call(ctx, target, c.request(transient))
	if err != nil {
		return nil, "", fmt.Errorf("balancer %s: %w", target, c.explain(err))
	}
	if to := reply.GetRedirect(); to != nil {
		if to.GetLeader() == "" {
			return nil, "", errNoLeader
		}
		return nil, to.GetLeader(), nil
	}
	if origin, err = c.accept(reply, transient); err != nil {
		return nil, "", fmt.Errorf("%w %s: %w", ErrReply, target, err)
	}
	return origin, "", nil
}

func (c *Client) request(transient *i2p.Keys) *controlpb.DelegateRequest {
	request := &controlpb.DelegateRequest{Version: controlVersion, Name: c.cfg.Name, HandOver: c.cfg.HandOver}
	if !c.cfg.HandOver {
		key := transient.Destination.SigningKey()
		request.SigType, request.TransientKey = uint32(key.Type), key.Key
	}
	return request
}

// call has a connection of its own: the next question is hours away.
func (c *Client) call(ctx context.Context, target string, request *controlpb.DelegateRequest) (*controlpb.DelegateReply, error) {
	conn, err := c.cfg.way().Connect(target)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	return controlpb.NewControlClient(conn).Delegate(ctx, request)
}

// explain says what to do about an error of gRPC.
func (c *Client) explain(err error) error {
	says := status.Convert(err).Message()
	switch status.Code(err) {
	case codes.PermissionDenied, codes.Unauthenticated:
		if c.cfg.HandOver {
			return fmt.Errorf("%w to hand the key over: allow it there for this backend, or leave HandOver off and use offline signatures: %s", ErrDenied, says)
		}
		return fmt.Errorf("%w: give the backend a certificate for the name %q, and list it there as a backend: %s", ErrDenied, c.cfg.Name, says)
	case codes.InvalidArgument:
		return fmt.Errorf("%w the request: run the same version of Onelease on both sides, and check the Name: %s", ErrDenied, says)
	case codes.Unimplemented:
		return fmt.Errorf("%w: this balancer cannot delegate: upgrade it: %s", ErrDenied, says)
	case codes.Unavailable, codes.DeadlineExceeded:
		return fmt.Errorf("it cannot be reached: start it, or check the address and TLS: %s", says)
	}
	return err
}
