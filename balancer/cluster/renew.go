package cluster

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/onelease/onelease/balancer/cluster/clusterpb"
	"github.com/onelease/onelease/internal/nodedir"
	"github.com/onelease/onelease/internal/pki"
)

const (
	// renewEvery is how often a running node looks at its certificate.
	renewEvery = time.Hour
	// renewTime is how long the balancers have to renew one.
	renewTime = 30 * time.Second
)

// KeepRenewed keeps up the directory of a node that is no balancer until ctx
// ends: see Upkeep. Balancers do so themselves.
func (c *Client) KeepRenewed(ctx context.Context, log *slog.Logger) {
	keepRenewed(ctx, log, func() error { return c.Upkeep(ctx) })
}

// Upkeep has the balancers renew the certificate in the directory if a third of
// its life is left or less, and notes there where the balancers are now.
func (c *Client) Upkeep(ctx context.Context) error {
	err := renewOwn(c.dir, c.creds, func(csr []byte) ([]byte, error) { return c.sign(ctx, csr) })
	return errors.Join(err, c.learn(ctx))
}

// learn notes the balancers that there are, for the next start: those of the
// invitation may be gone by then.
func (c *Client) learn(ctx context.Context) error {
	reply, err := c.anyMembers(ctx)
	if err != nil {
		return err
	}
	info, err := nodedir.Read(c.dir)
	if err != nil {
		return err
	}
	var addrs []string
	for _, m := range reply.GetMembers() {
		addrs = append(addrs, m.GetAddress())
	}
	if len(addrs) == 0 || slices.Equal(addrs, info.Balancers) {
		return nil
	}
	info.Balancers = addrs
	return info.Write(c.dir)
}

// Credentials are those of the directory, which Renew and Reload replace.
func (c *Client) Credentials() *pki.Reloader { return c.creds }

// Balancers are the addresses that are asked.
func (c *Client) Balancers() []string { return c.addrs }

// sign asks one balancer after the other: each that is not locked is a CA.
func (c *Client) sign(ctx context.Context, csr []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, renewTime)
	defer cancel()
	var errs []error
	for _, addr := range c.addrs {
		cert, err := c.signAt(ctx, addr, csr)
		if err == nil {
			return cert, nil
		}
		errs = append(errs, fmt.Errorf("balancer %s: %w", addr, err))
	}
	return nil, errors.Join(errs...)
}

func (c *Client) signAt(ctx context.Context, addr string, csr []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	conn, err := c.To(addr)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	reply, err := conn.Renew(ctx, &clusterpb.RenewRequest{Request: csr})
	return reply.GetCertificates(), plain(err)
}

// renew issues the balancer a new certificate when a third of its life is left,
// as long as it is a member.
func (n *Node) renew() {
	keepRenewed(n.ctx, n.cfg.Logger, func() error {
		if !n.isMember(n.info.Name) {
			n.cfg.Logger.Debug("certificate not looked at: this balancer is not a member")
			return nil
		}
		return renewOwn(n.cfg.Dir, n.creds, n.sign)
	})
}

// sign is for the balancer's own certificate: no other balancer signs one, so that who has
// copied its directory does not get a new one either.
func (n *Node) sign(csr []byte) ([]byte, error) {
	ca, err := n.authority()
	if err != nil {
		return nil, plain(err)
	}
	return ca.Sign(csr, n.info.Identity(), pki.DefaultLife)
}

func keepRenewed(ctx context.Context, log *slog.Logger, renew func() error) {
	ticker := time.NewTicker(renewEvery)
	defer ticker.Stop()
	for {
		if err := renew(); err != nil && ctx.Err() == nil {
			log.Warn("certificate not looked after, trying again in an hour", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// renewOwn renews a node's certificate if it is time for that.
func renewOwn(dir string, creds *pki.Reloader, sign func(csr []byte) ([]byte, error)) error {
	c := creds.Credentials()
	if time.Until(c.Expires()) > pki.DefaultLife/3 {
		return nil
	}
	csr, err := pki.CSR(c.Key(), c.Identity().Role, c.Identity().Name)
	if err != nil {
		return err
	}
	cert, err := sign(csr)
	if err != nil {
		return err
	}
	next, err := pki.NewCredentials(c.Key(), cert, c.CAPEM())
	if err != nil {
		return err
	}
	return errors.Join(next.Replace(dir), creds.Reload())
}
