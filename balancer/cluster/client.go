package cluster

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"slices"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/onelease/onelease/balancer/cluster/clusterpb"
	"github.com/onelease/onelease/balancer/controlpb"
	"github.com/onelease/onelease/internal/nodedir"
	"github.com/onelease/onelease/internal/pki"
	"github.com/onelease/onelease/internal/way"
)

// A Client asks the balancers of a cluster with the certificate in a node's
// directory: an operator's, or a balancer's own.
type Client struct {
	dir   string
	creds *pki.Reloader
	addrs []string
	dial  DialFunc
}

// NewClient reads a node's directory. The balancers are those given, or if none
// are those that the directory names. The errors are ErrInvalid and pki's.
func NewClient(dir string, balancers ...string) (*Client, error) {
	info, err := nodedir.Read(dir)
	if err != nil {
		return nil, err
	}
	creds, err := pki.NewReloader(dir)
	if err != nil {
		return nil, err
	}
	if len(balancers) == 0 {
		balancers = slices.Clone(info.Balancers)
		if info.Address != "" {
			balancers = append([]string{info.Address}, balancers...)
		}
	}
	if len(balancers) == 0 {
		return nil, fmt.Errorf("no balancer to ask: name one: %w", ErrInvalid)
	}
	return &Client{dir: dir, creds: creds, addrs: balancers, dial: dialTCP}, nil
}

// askTime bounds a question to one balancer, connecting included, so that one
// whose machine is gone does not keep the others from being asked.
const askTime = 5 * time.Second

// A Conn is a connection to one balancer.
type Conn struct {
	clusterpb.ClusterClient
	Control controlpb.ControlClient
	addr    string
	conn    *grpc.ClientConn
}

// Close closes it.
func (c *Conn) Close() error { return c.conn.Close() }

// To connects to the balancer at addr. It does not wait for it.
func (c *Client) To(addr string) (*Conn, error) {
	return connect(addr, c.dial, pki.ClientTLS(c.creds, pki.Balancer, ""))
}

func connect(addr string, dial DialFunc, secure *tls.Config) (*Conn, error) {
	conn, err := way.Way{Dial: dial, TLS: secure}.Connect(addr)
	if err != nil {
		return nil, err
	}
	return &Conn{clusterpb.NewClusterClient(conn), controlpb.NewControlClient(conn), addr, conn}, nil
}

// Members asks any balancer who is in the cluster, the leader if one is known:
// only it knows who is silent.
func (c *Client) Members(ctx context.Context) (*clusterpb.MembersReply, error) {
	reply, err := c.anyMembers(ctx)
	if err != nil || reply.GetLeaderAddress() == "" || reply.GetLeader() == reply.GetSelf() {
		return reply, err
	}
	if better, err := c.membersAt(ctx, reply.GetLeaderAddress()); err == nil {
		return better, nil
	}
	return reply, nil
}

// membersAt asks one balancer.
func (c *Client) membersAt(ctx context.Context, addr string) (*clusterpb.MembersReply, error) {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	conn, err := c.To(addr)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	return conn.Members(ctx, &clusterpb.MembersRequest{})
}

// anyMembers asks one after the other. An answer that names a leader is better.
func (c *Client) anyMembers(ctx context.Context) (*clusterpb.MembersReply, error) {
	var best *clusterpb.MembersReply
	var errs []error
	for _, addr := range c.addrs {
		reply, err := c.membersAt(ctx, addr)
		switch {
		case err != nil:
			errs = append(errs, fmt.Errorf("balancer %s: %w", addr, plain(err)))
		case reply.GetLeaderAddress() != "":
			return reply, nil
		default:
			best = reply
		}
	}
	if best != nil {
		return best, nil
	}
	return nil, errors.Join(errs...)
}

// Leader connects to the balancer that leads. The errors are ErrNoLeader and
// those of the connections.
func (c *Client) Leader(ctx context.Context) (*Conn, error) {
	reply, err := c.anyMembers(ctx)
	if err != nil {
		return nil, err
	}
	if reply.GetLeaderAddress() == "" {
		return nil, fmt.Errorf("%w: a majority of those with a vote must be up", ErrNoLeader)
	}
	return c.To(reply.GetLeaderAddress())
}

// enterTime is for the leader to send the state, of some megabytes at most.
const enterTime = 30 * time.Second

// enter asks the leader to make this balancer a member.
func (c *Client) enter(ctx context.Context, address string, voter bool) error {
	leader, err := c.Leader(ctx)
	if err != nil {
		return err
	}
	defer leader.Close()
	ctx, cancel := context.WithTimeout(ctx, enterTime)
	defer cancel()
	_, err = leader.Enter(ctx, &clusterpb.EnterRequest{Address: address, Voter: voter})
	return plain(err)
}

// Plain is err of a call in plain words: ErrRefused if a balancer refused it.
func Plain(err error) error { return plain(err) }

func plain(err error) error {
	s, ok := status.FromError(err)
	if err == nil || !ok {
		return err
	}
	switch s.Code() {
	case codes.Unavailable, codes.DeadlineExceeded, codes.Canceled:
		return errors.New(words(s.Message()))
	}
	return fmt.Errorf("%w: %s", ErrRefused, s.Message())
}
