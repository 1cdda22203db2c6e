package doctor

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/onelease/onelease/frontend"
	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/i2cp"
)

// session opens one for a throwaway Destination, and closes it.
func (m *met) session(ctx context.Context) []Result {
	err := m.open(ctx)
	found := fmt.Sprint(err)
	switch {
	case err == nil:
		return good(checkSession, m.Name, "it made one, for a throwaway Destination")
	case errors.Is(err, i2cp.ErrRefused):
		return bad("session-refused", m.Name, found)
	case errors.Is(err, i2cp.ErrInvalidSession):
		return bad("session-invalid", m.Name, found)
	case errors.Is(err, i2cp.ErrUnauthorized):
		return bad("router-password", m.Name, found)
	}
	return bad("session-none", m.Name, found)
}

// open is nil if the router makes a session at the first attempt.
func (m *met) open(ctx context.Context) error {
	keys, err := i2p.GenerateKeys()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	v := verdict(make(chan error, 1))
	cfg := m.config()
	cfg.SignedConfig = func(context.Context) ([]byte, error) {
		options := i2cp.SessionOptions()
		options["inbound.quantity"], options["outbound.quantity"] = "1", "1"
		return i2cp.BuildSessionConfig(keys, keys.Destination, options, time.Now())
	}
	ended := make(chan error, 1)
	client := i2cp.New(cfg, v)
	go func() { ended <- client.Run(ctx) }()
	select {
	case err = <-v:
		cancel()
		<-ended
		return err
	case err = <-ended:
		return errors.Join(err, ctx.Err())
	}
}

// A verdict is what became of the first attempt to get a session.
type verdict chan error

func (v verdict) say(err error) {
	select {
	case v <- err:
	default:
	}
}

// SessionUp implements i2cp.Handler.
func (v verdict) SessionUp() { v.say(nil) }

// SessionDown implements i2cp.Handler.
func (v verdict) SessionDown(err error) { v.say(err) }

// LeasesRequested implements i2cp.Handler, as the rest does: nobody uses the session.
func (v verdict) LeasesRequested([]i2p.Lease)       {}
func (v verdict) Message(i2cp.Payload)              {}
func (v verdict) MessageStatus(uint32, i2cp.Status) {}

var _ i2cp.Handler = verdict(nil)

// probe finds out whether the router builds tunnels, how it reads the option not to publish,
// and, if nothing of the setup runs, whether another machine has the Destination.
func (r *run) probe(m *met) func(context.Context) []Result {
	return func(ctx context.Context) []Result {
		if r.cfg.Quick {
			return append(unknown(checkTunnels, m.Name, "not checked, as was asked"), unknown(checkOption, m.Name, "not checked, as was asked")...)
		}
		var hashes []i2p.Hash
		if r.probesNetDB() {
			hashes = slices.Collect(maps.Keys(r.destinations()))
		}
		quirk, found, err := frontend.TestNetDB(ctx, m.frontend(), nil, r.log, hashes...)
		results := probed(m, quirk, err)
		for _, hash := range hashes {
			results = append(results, m.elsewhere(ctx, hash, found)...)
		}
		return results
	}
}

// probed is what the self-test says of tunnels, and of the option.
func probed(m *met, quirk frontend.Quirk, err error) []Result {
	switch {
	case errors.Is(err, frontend.ErrProbeTunnels):
		return append(bad("no-tunnels", m.Name, "none within 90 s"), unknown(checkOption, m.Name, "not checked: there are no tunnels")...)
	case errors.Is(err, frontend.ErrProbeSession):
		return append(unknown(checkTunnels, m.Name, "not checked: "+err.Error()), unknown(checkOption, m.Name, "not checked: there is no session")...)
	case err != nil:
		return append(good(checkTunnels, m.Name, "it built some"), unknown(checkOption, m.Name, err.Error()+". Check again when the router has run for some minutes")...)
	}
	return append(good(checkTunnels, m.Name, "it built some"), option(m, quirk)...)
}

func option(m *met, quirk frontend.Quirk) []Result {
	switch m.DontPublish {
	case frontend.Auto:
		return good(checkOption, m.Name, fmt.Sprintf("%s, which auto finds out", quirk))
	case quirk:
		return good(checkOption, m.Name, string(quirk)+", as is set")
	}
	return bad("option-inverted", m.Name, fmt.Sprintf("it is %s, and %s is set", quirk, m.DontPublish))
}
