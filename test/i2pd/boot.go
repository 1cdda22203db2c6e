package i2pd

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"
)

// pollInterval is how often we look whether a real process has got somewhere.
const pollInterval = 100 * time.Millisecond

// errNotYet is what a look at a router returns while there is nothing wrong but time.
var errNotYet = errors.New("not yet")

// boot starts every router twice. The first run only makes keys and a router.info; then all
// are introduced to each other, which spares them reseeding, and started for good.
func (n *Network) boot(ctx context.Context) error {
	if err := n.each(func(r *Router) error { return r.makeIdentity(ctx) }); err != nil {
		return err
	}
	if err := n.introduce(); err != nil {
		return err
	}
	if err := n.each((*Router).launch); err != nil {
		return err
	}
	return n.ready(ctx, n.routers...)
}

func (n *Network) each(do func(*Router) error) error {
	var group errgroup.Group
	for _, r := range n.routers {
		group.Go(func() error { return do(r) })
	}
	return group.Wait()
}

// makeIdentity runs the router until its router.info is final: i2pd rewrites that file
// while it starts, and opens its I2CP server after all that.
func (r *Router) makeIdentity(ctx context.Context) error {
	if err := r.launch(); err != nil {
		return err
	}
	defer r.Kill()
	return r.poll(ctx, "make its keys", func() error { return dialable(ctx, r.I2CPAddr()) })
}

// dialable returns nil if somebody listens at the TCP address.
func dialable(ctx context.Context, addr string) error {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", addr)
	if err == nil {
		conn.Close()
	}
	return err
}

// introduce puts every router.info into every other router's netDb.
func (n *Network) introduce() error {
	for _, from := range n.routers {
		info, err := os.ReadFile(from.infoPath())
		if err == nil {
			from.hash, err = identHash(info)
		}
		if err != nil {
			return fmt.Errorf("read the router.info of %s: %w", from, err)
		}
		for _, to := range n.routers {
			if from == to {
				continue
			}
			if err := to.learn(from.index, info); err != nil {
				return fmt.Errorf("introduce %s to %s: %w", from, to, err)
			}
		}
	}
	return nil
}

// learn stores a router.info; i2pd reads the files of its netDb whatever they are called.
func (r *Router) learn(index int, info []byte) error {
	dir := filepath.Join(r.dir, "netDb", "rA")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "routerInfo-"+strconv.Itoa(index)+".dat"), info, 0o600)
}

// poll looks until look returns nil, ctx ends, or the process dies; what names the goal.
func (r *Router) poll(ctx context.Context, what string, look func() error) error {
	p := r.current()
	ticker := time.NewTicker(pollInterval)
	defer ticker.Stop()
	for {
		err := look()
		if err == nil {
			return nil
		}
		select {
		case <-ticker.C:
		case <-p.ended:
			return fmt.Errorf("%s died before it could %s: %w", r, what, errors.Join(p.err, r.Crash()))
		case <-ctx.Done():
			return fmt.Errorf("%s did not %s: %w: %w", r, what, context.Cause(ctx), err)
		}
	}
}

// identHash reads a router.info, which begins with the router's identity: 384 bytes of keys
// and a certificate of type 1, length 2 and so many bytes (common structures,
// "RouterIdentity").
func identHash(info []byte) (hash [32]byte, err error) {
	const keys, head = 384, 387
	if len(info) < head {
		return hash, fmt.Errorf("router identity has only %d bytes", len(info))
	}
	size := head + int(binary.BigEndian.Uint16(info[keys+1:]))
	if size > len(info) {
		return hash, fmt.Errorf("router identity of %d bytes is cut off at %d", size, len(info))
	}
	return sha256.Sum256(info[:size]), nil
}
