// Package proxy is a service that passes on what comes from I2P to a service on
// this host that knows nothing of I2P: an HTTP server, on TCP or a Unix socket, or
// any other on TCP.
//
//	err := backend.Run(ctx, host, &proxy.Service{Target: "http://127.0.0.1:8080"})
//
// It is what an HTTP server tunnel or a server tunnel is in Java I2P and i2pd. An
// HTTP target learns who a visitor is by the same headers as there (X-I2P-DestB32
// and others), which no visitor can set; see stripRequest for what else is not
// passed on, and stripResponse for what visitors do not get to see.
//
// To the target all visitors come from this host. A target that trusts 127.0.0.1,
// as status pages and databases often do, must be told not to.
package proxy

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/onelease/onelease/backend"
)

// Service passes on to one target. Target must be set.
type Service struct {
	Target          string           `toml:"target" comment:"where the service is: http://127.0.0.1:8080, unix:/run/app.sock for HTTP on a Unix socket, or tcp://127.0.0.1:22; must be set"`
	Port            uint16           `toml:"port" comment:"I2P port; 0 gets what comes to any port that is not open by itself"`
	MaxPerRemote    int              `toml:"max-per-remote" comment:"requests, or streams to a tcp target, that one visitor may have at a time; -1 is no limit"`
	SpoofHost       string           `toml:"spoof-host" comment:"Host header that an HTTP target gets; empty passes on the visitor's"`
	RejectInproxy   bool             `toml:"reject-inproxy" comment:"refuse what comes through a proxy from the web"`
	MaxBody         backend.Size     `toml:"max-body" comment:"what a request may carry, such as an upload"`
	ResponseTimeout backend.Duration `toml:"response-timeout" comment:"how long an HTTP target may take to begin its response"`
}

// SetDefaults implements backend.Settings.
func (s *Service) SetDefaults() {
	s.MaxPerRemote = cmp.Or(s.MaxPerRemote, 32) // a browser has 6 to 8
	s.MaxBody = cmp.Or(s.MaxBody, 32<<20)       // half an hour at I2P's usual speeds
	s.ResponseTimeout = cmp.Or(s.ResponseTimeout, backend.Duration(time.Minute))
}

// Check implements backend.Settings. It does not try to reach the target, which
// may be started later.
func (s *Service) Check() error {
	if err := s.check(); err != nil {
		return fmt.Errorf("proxy: %w", err)
	}
	return nil
}

func (s *Service) check() error {
	t, err := parseTarget(s.Target)
	switch {
	case err != nil:
		return fmt.Errorf("setting target: %w", err)
	case !t.http && s.SpoofHost != "":
		return fmt.Errorf("setting spoof-host is for HTTP: remove it, or make target http:// instead of %q", s.Target)
	case !t.http && s.RejectInproxy:
		return fmt.Errorf("setting reject-inproxy is for HTTP: remove it, or make target http:// instead of %q", s.Target)
	case strings.ContainsAny(s.SpoofHost, "/ \t\r\n"):
		return fmt.Errorf("setting spoof-host: %q is no host name: write it as example.i2p or localhost:8080", s.SpoofHost)
	case s.MaxBody < 0:
		return errors.New("setting max-body is negative: leave it out to get the default")
	}
	if err := s.ResponseTimeout.Check(); err != nil {
		return fmt.Errorf("setting response-timeout: %w", err)
	}
	return nil
}

// Serve serves until ctx ends. What is under way then has backend.TimeToEnd. It fails if
// Check does, or the port cannot be opened; that the target does not answer is
// logged, and told to visitors.
func (s *Service) Serve(ctx context.Context, node backend.Node) error {
	if err := s.Check(); err != nil {
		return err
	}
	settings := *s
	settings.SetDefaults()
	t, _ := parseTarget(settings.Target) // Check did it
	p := &proxy{
		Service: settings,
		target:  t,
		health:  health{log: node.Logger().With("service", "proxy", "target", settings.Target)},
		turns:   turns{most: settings.MaxPerRemote},
	}
	service := backend.Listener(p.Port, p.tunnel)
	if t.http {
		h := p.handler()
		defer h.close()
		service = backend.HTTP(p.Port, h)
	}
	if err := service.Serve(ctx, node); err != nil {
		return fmt.Errorf("proxy: %w", err)
	}
	return nil
}

// A proxy is a Service at work.
type proxy struct {
	Service
	target target
	health health
	turns  turns
}

var _ backend.Settings = (*Service)(nil)
