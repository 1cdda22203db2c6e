package guest

import (
	"context"
	"fmt"
	"net"
	"time"

	"github.com/hashicorp/yamux"

	"github.com/onelease/onelease/frontend"
)

// attachTime is how long DialSAM waits for a guest that is not open yet.
const attachTime = 5 * time.Second

// DialSAM attaches a backend: it returns a connection to the SAM server of the guest's
// frontend. It fails with frontend.ErrPublisherOnly, with net.ErrClosed once Run has
// ended, and with the reason if the guest is not open within 5 s.
func (g *Guest) DialSAM(ctx context.Context) (net.Conn, error) {
	if !g.cfg.Member && !g.cfg.Refuge {
		return nil, fmt.Errorf("frontend %s: %w", g.client.cfg.Name, frontend.ErrPublisherOnly)
	}
	session, err := g.open(ctx)
	if err != nil {
		return nil, fmt.Errorf("frontend %s: %w", g.client.cfg.Name, err)
	}
	st, _, err := g.client.request(ctx, session, header{kind: kindSAM, id: g.id}, nil, shakeTime)
	if err != nil {
		return nil, err
	}
	return st, nil
}

// open waits until the frontend has the guest open.
func (g *Guest) open(ctx context.Context) (*yamux.Session, error) {
	timer := time.NewTimer(attachTime)
	defer timer.Stop()
	for {
		on, changed, ended, reason := g.now()
		switch {
		case on != nil:
			return on, nil
		case ended:
			return nil, net.ErrClosed
		}
		select {
		case <-changed:
		case <-timer.C:
			return nil, reason
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}
