package frontend

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/eyedeekay/i2pkeys"
	"github.com/eyedeekay/sam3"

	"github.com/onelease/onelease/i2p/sam"
)

const (
	// bridgeCheck is how often the bridge is asked for a sign of life, and
	// how long it may take to answer.
	bridgeCheck = 2 * time.Second
	bridgeTime  = 5 * time.Second
	// maxUpstreamRetry bounds the wait before the bridge is tried again.
	maxUpstreamRetry = 30 * time.Second
)

var errBridgeSilent = fmt.Errorf("the SAM bridge does not answer within %v", bridgeTime)

// sam3's RawSession.WriteTo writes its address by String, which is by default the
// b32 address: no bridge takes that there. This makes it the base64.
func init() { i2pkeys.StringIsBase64 = true }

// An upstream is a RAW session on a stock SAM bridge, which it opens again when
// it is lost. See the package's comment for what that is worth.
type upstream struct {
	f       *Frontend
	cfg     *UpstreamConfig
	session atomic.Pointer[upstreamSession] // nil while there is none
}

type upstreamSession struct {
	id     string
	bridge *sam3.SAM
	raw    *sam3.RawSession
}

func newUpstream(f *Frontend) *upstream { return &upstream{f: f, cfg: f.cfg.Router.SAM} }

// run keeps the session until ctx ends.
func (u *upstream) run(ctx context.Context) error {
	u.f.log.Warn("upstream SAM is a fallback: the router publishes for itself, the last publisher wins, " +
		"and only raw datagrams without ports pass")
	wait := minRetry
	for ctx.Err() == nil {
		opened, err := u.connect(ctx)
		u.f.setRouterError(err)
		if ctx.Err() != nil {
			break
		}
		if opened {
			wait = minRetry
			u.f.server.CloseSessions("the router is lost; use another frontend")
		}
		u.f.log.Warn("no session with the SAM bridge", "bridge", u.cfg.Addr, "err", err)
		sleep(ctx, wait)
		wait = min(2*wait, maxUpstreamRetry)
	}
	return nil
}

// connect opens a session and serves it to its end.
func (u *upstream) connect(ctx context.Context) (opened bool, err error) {
	bridge, err := u.dial(ctx)
	if err != nil {
		return false, err
	}
	defer bridge.Close()
	defer context.AfterFunc(ctx, func() { bridge.Close() })()
	s := &upstreamSession{id: u.f.cfg.Name + "-" + rand.Text()[:6], bridge: bridge}
	if s.raw, err = bridge.NewRawSession(s.id, u.keys(), u.options(), u.cfg.UDPPort); err != nil {
		return false, withoutKeys(err)
	}
	defer s.raw.Close()
	u.session.Store(s)
	u.f.server.HostUp()
	defer u.session.Store(nil)
	u.f.setRouterError(nil)
	u.f.log.Info("session with the SAM bridge", "bridge", u.cfg.Addr, "session", s.id)
	return true, u.serve(ctx, s)
}

// dial connects to the bridge. sam3 takes no context: while a bridge accepts
// and says nothing, its goroutine stays until the bridge closes.
func (u *upstream) dial(ctx context.Context) (*sam3.SAM, error) {
	type result struct {
		bridge *sam3.SAM
		err    error
	}
	done := make(chan result, 1)
	go func() {
		bridge, err := sam3.NewSAM(u.cfg.Addr)
		done <- result{bridge, err}
	}()
	timer := time.NewTimer(bridgeTime)
	defer timer.Stop()
	var err error
	select {
	case r := <-done:
		return r.bridge, r.err
	case <-timer.C:
		err = errBridgeSilent
	case <-ctx.Done():
		err = ctx.Err()
	}
	go func() {
		if r := <-done; r.err == nil {
			r.bridge.Close()
		}
	}()
	return nil, err
}

func (u *upstream) keys() i2pkeys.I2PKeys {
	return i2pkeys.NewKeys(i2pkeys.I2PAddr(u.cfg.Keys.Destination.Base64()), u.cfg.Keys.Base64())
}

// options are the session's. i2pd forwards over UDP only if HOST is given,
// which sam3 does not do. The empty one makes sam3 put a space before its PORT:
// it appends that to the last option as it is.
func (u *upstream) options() []string {
	host, _, _ := net.SplitHostPort(u.cfg.Addr)
	if host == "localhost" {
		host = "127.0.0.1"
	}
	options := append([]string{"i2cp.leaseSetEncType=4", "HOST=" + host}, u.cfg.Options...)
	return append(options, "")
}

// withoutKeys keeps private keys out of err: sam3 quotes answers that it does
// not know, and a bridge's answer has the keys in it.
func withoutKeys(err error) error {
	for word := range strings.FieldsSeq(err.Error()) {
		if len(word) > 60 {
			return errors.New("the SAM bridge gives an answer to SESSION CREATE that sam3 does not know")
		}
	}
	return err
}

// serve passes on what comes in until the session ends.
func (u *upstream) serve(ctx context.Context, s *upstreamSession) error {
	ctx, cancel := context.WithCancelCause(ctx)
	var group sync.WaitGroup
	defer group.Wait()
	defer cancel(nil)
	defer context.AfterFunc(ctx, func() {
		s.raw.Close()
		s.bridge.Close()
	})()
	group.Go(func() { cancel(u.watch(ctx, s)) })
	b := make([]byte, 1<<16)
	for {
		n, err := s.raw.Read(b)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err != nil {
			return fmt.Errorf("read from the SAM bridge: %w", err)
		}
		u.f.deliver(sam.Packet{Protocol: sam.ProtocolRaw, Data: b[:n]})
	}
}

// watch returns when the bridge is gone, which a session over UDP does not
// notice: it asks for a name that the bridge knows of itself.
func (u *upstream) watch(ctx context.Context, s *upstreamSession) error {
	for {
		sleep(ctx, bridgeCheck)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		timer := time.AfterFunc(bridgeTime, func() { s.bridge.Close() })
		_, err := s.bridge.Lookup("ME")
		if !timer.Stop() {
			return errBridgeSilent
		}
		if err != nil {
			return fmt.Errorf("the SAM bridge is gone: %w", err)
		}
	}
}
