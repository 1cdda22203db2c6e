package frontend

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/onelease/onelease/balancer/controlpb"
	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/i2cp"
	"github.com/onelease/onelease/i2p/sam"
)

const (
	// refusedWait is the wait after a refusal that only a person can mend.
	refusedWait = 30 * time.Second
	// sessionPatience is how long a balancer has for a session configuration
	// before an earlier one is used again.
	sessionPatience = 3 * time.Second
)

// runRouter keeps the session on the router until ctx ends.
func (f *Frontend) runRouter(ctx context.Context) error {
	if f.cfg.DontPublish == Auto {
		f.learnQuirk(ctx)
	}
	for ctx.Err() == nil {
		drained, err := f.keepSession(ctx)
		switch {
		case ctx.Err() != nil:
		case drained:
			f.log.Info("drained: the session is closed until the drain is undone")
			f.setRouterError(errDrained)
		default:
			f.log.Warn("the router refuses the session", "err", err, "do", refusalAdvice(err), "retry", refusedWait)
			if f.cfg.Refused != nil {
				f.cfg.Refused(err)
			}
			sleep(ctx, refusedWait/2+rand.N(refusedWait/2))
		}
	}
	return nil
}

// keepSession keeps the session until ctx or a drain ends it, or the router
// refuses it.
func (f *Frontend) keepSession(ctx context.Context) (drained bool, err error) {
	session, cancel := f.drain.allow(ctx)
	defer cancel()
	client := i2cp.New(f.cfg.Router.client(f.log, f.signedConfig), routerHandler{f})
	f.client.Store(client)
	err = client.Run(session)
	return session.Err() != nil, err
}

// client is a client's configuration for the router.
func (r *RouterConfig) client(log *slog.Logger, signed func(context.Context) ([]byte, error)) i2cp.Config {
	return i2cp.Config{
		Addr: r.Addr, Dial: r.Dial, TLS: r.TLS, User: r.User, Password: r.Password,
		SignedConfig: signed,
		Logger:       log,
	}
}

// refusalAdvice is what a person can do about a refusal.
func refusalAdvice(err error) string {
	if errors.Is(err, i2cp.ErrUnauthorized) {
		return "set Router.User and Router.Password to those of the router's I2CP settings"
	}
	return "see that no other program, tunnel or frontend has the Destination open on this router: " +
		"each Destination can be open once per router"
}

// signedConfig gets the session configuration for a new session from the
// leader. A member whose balancers are away uses its last one again, which
// i2pd takes; so does a publisher if it still has something to publish.
func (f *Frontend) signedConfig(ctx context.Context) ([]byte, error) {
	answer := f.control.askSession(&controlpb.SessionRequest{DontPublishInverted: f.inverted()})
	defer f.control.stopAsking()
	patience := time.NewTicker(sessionPatience)
	defer patience.Stop()
	for {
		select {
		case config := <-answer:
			return config, f.useConfig(config)
		case <-patience.C:
			if config := f.reusableConfig(); config != nil {
				f.log.Warn("no balancer answers: the last session configuration is used again")
				return config, nil
			}
			f.setRouterError(errAwaitSession)
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

var errAwaitSession = errors.New("waiting for a balancer to sign the session; " +
	"for a frontend that only publishes it does so when a member has tunnels")

// useConfig checks a configuration and keeps it.
func (f *Frontend) useConfig(config []byte) error {
	parsed, err := i2cp.ParseSessionConfig(config)
	if err == nil {
		err = f.leases.host(parsed.Destination)
	}
	if err != nil {
		return fmt.Errorf("session configuration from the balancer: %w", err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.lastConfig = config
	return nil
}

func (f *Frontend) reusableConfig() []byte {
	if f.control.attachedTo() != "" || !f.cfg.Member && !f.leases.valid() {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.lastConfig
}

func (f *Frontend) inverted() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.quirk == Inverted
}

func (f *Frontend) setRouterError(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.routerError = ""
	if err != nil {
		f.routerError = err.Error()
	}
}

// A routerHandler is told what the router says.
type routerHandler struct{ f *Frontend }

// SessionUp implements i2cp.Handler.
func (h routerHandler) SessionUp() {
	h.f.setRouterError(nil)
	h.f.leases.sessionUp()
}

// SessionDown implements i2cp.Handler: the backends are told at once, so that
// they move to other frontends.
func (h routerHandler) SessionDown(err error) {
	h.f.setRouterError(err)
	if !h.f.leases.sessionDown() {
		return
	}
	reason := "the router is lost; use another frontend"
	if h.f.drain.closed() {
		reason = "the router was drained; use another frontend"
	}
	h.f.server.CloseSessions(reason)
}

// LeasesRequested implements i2cp.Handler.
func (h routerHandler) LeasesRequested(leases []i2p.Lease) { h.f.leases.request(leases) }

// Message implements i2cp.Handler.
func (h routerHandler) Message(p i2cp.Payload) {
	packet := sam.Packet{FromPort: p.FromPort, ToPort: p.ToPort, Protocol: p.Protocol, Data: p.Data}
	if h.f.newcomers.are(&packet) {
		h.f.leases.newcomer() // before anybody can reply
	}
	h.f.deliver(packet)
}

// MessageStatus implements i2cp.Handler.
func (h routerHandler) MessageStatus(nonce uint32, s i2cp.Status) {
	if done, err := sendResult(s); done {
		h.f.server.Status(nonce, err)
	}
}

var _ i2cp.Handler = routerHandler{}
