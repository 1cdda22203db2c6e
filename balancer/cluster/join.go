package cluster

import (
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/onelease/onelease/balancer/cluster/clusterpb"
	"github.com/onelease/onelease/balancer/keystore"
	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/internal/nodedir"
	"github.com/onelease/onelease/internal/pki"
)

// A JoinConfig is what a node joins with.
type JoinConfig struct {
	// Dir is made, or empty.
	Dir string
	// Token is the invitation; it says what the node will be.
	Token *pki.Token
	// Address is where the others reach a balancer, host:port; empty for others.
	Address string
	// Dial connects to the balancers; TCP if nil.
	Dial DialFunc
}

// Join trades an invitation for a certificate, and makes the node's directory. A
// balancer becomes a member once it is started. The errors are ErrInvalid,
// ErrExists, ErrRefused, ErrNoLeader and those of the connections.
func Join(ctx context.Context, c JoinConfig) error {
	if err := c.check(); err != nil {
		return err
	}
	key, err := pki.NewKey()
	if err != nil {
		return err
	}
	csr, err := pki.CSR(key, c.Token.Node.Role, c.Token.Node.Name)
	if err != nil {
		return err
	}
	reply, err := c.redeem(ctx, csr)
	if err != nil {
		return fmt.Errorf("join: %w", err)
	}
	creds, err := pki.NewCredentials(key, reply.GetCertificates(), caOf(reply.GetCertificates()))
	if err != nil {
		return fmt.Errorf("join: the balancer's answer: %w", err)
	}
	if creds.CAPin() != c.Token.CA {
		return fmt.Errorf("join: the certificate is not from the CA that the token names: %w", ErrInvalid)
	}
	return c.write(creds, reply)
}

func (c *JoinConfig) check() error {
	if c.Dial == nil {
		c.Dial = dialTCP
	}
	if c.Token == nil {
		return fmt.Errorf("no token: make one with \"onelease cluster invite\": %w", ErrInvalid)
	}
	switch balancer := c.Token.Node.Role == pki.Balancer; {
	case balancer && c.Address == "":
		return fmt.Errorf("no address: say host:port at which the other balancers and the frontends reach this one: %w", ErrInvalid)
	case balancer:
		if err := checkAddress(c.Address); err != nil {
			return err
		}
	case c.Address != "":
		return fmt.Errorf("an address for a %s: only balancers are connected to: %w", c.Token.Node.Role, ErrInvalid)
	}
	return newDir(c.Dir)
}

// redeem asks the balancers that the token names, and on while they hold an election.
func (c *JoinConfig) redeem(ctx context.Context, csr []byte) (*clusterpb.JoinReply, error) {
	waiting, cancel := context.WithTimeout(ctx, leaderTime)
	defer cancel()
	for {
		reply, electing, err := c.redeemNow(ctx, csr)
		if !electing || waiting.Err() != nil {
			return reply, err
		}
		select {
		case <-time.After(askAgain):
		case <-waiting.Done():
		}
	}
}

// redeemNow asks each of them once, until the leader answers. Electing is that there may
// be another soon.
func (c *JoinConfig) redeemNow(ctx context.Context, csr []byte) (reply *clusterpb.JoinReply, electing bool, err error) {
	var errs []error
	for _, addr := range c.Token.Balancers {
		reply, err := c.redeemAt(ctx, addr, csr)
		if err == nil {
			return reply, false, nil
		}
		if refusal(err) {
			return nil, false, plain(err)
		}
		electing = electing || saysElection(err)
		errs = append(errs, fmt.Errorf("balancer %s: %w", addr, plain(err)))
	}
	return nil, electing, errors.Join(errs...)
}

// redeemAt asks one balancer.
func (c *JoinConfig) redeemAt(ctx context.Context, addr string, csr []byte) (*clusterpb.JoinReply, error) {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	conn, err := connect(addr, c.Dial, pki.JoinTLS(c.Token))
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	return conn.Join(ctx, &clusterpb.JoinRequest{
		Version: joinVersion, Invite: c.Token.Invite, Secret: c.Token.Proof(csr),
		Request: csr, ClockMs: time.Now().UnixMilli(),
	})
}

// saysElection reports whether a balancer has said that nobody leads, or that another does,
// which may be gone.
func saysElection(err error) bool {
	said := status.Convert(err).Message()
	return said == nobodyLeads || strings.HasSuffix(said, askThere)
}

// refusal reports whether other balancers would say the same.
func refusal(err error) bool {
	switch status.Code(err) {
	case codes.PermissionDenied, codes.InvalidArgument, codes.AlreadyExists:
		return true
	}
	return false
}

// write makes the directory.
func (c *JoinConfig) write(creds *pki.Credentials, reply *clusterpb.JoinReply) error {
	dest, _, err := i2p.ParseDestination(reply.GetDestination())
	if err != nil {
		return fmt.Errorf("join: the balancer's answer: %w", err)
	}
	if err := creds.Save(c.Dir); err != nil {
		return err
	}
	if len(reply.GetAuthority()) > 0 {
		if err := pki.SaveAuthority(c.Dir, reply.GetAuthority()); err != nil {
			return fmt.Errorf("join: the balancer's answer: %w", err)
		}
	}
	if sealed := reply.GetSealedKeys(); len(sealed) > 0 {
		if err := keystore.WriteSealed(filepath.Join(c.Dir, keysName), sealed); err != nil {
			return err
		}
	}
	id := creds.Identity()
	return nodedir.Info{
		Cluster: id.Cluster, Role: string(id.Role), Name: id.Name, Destination: dest.Base64(),
		Address: c.Address, Balancers: c.Token.Balancers, Voter: reply.GetVoter(),
	}.Write(c.Dir)
}

// caOf is what follows the first certificate, the node's own, in PEM.
func caOf(certificates []byte) []byte {
	_, rest := pem.Decode(certificates)
	return rest
}
