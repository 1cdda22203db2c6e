package frontend

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"

	"github.com/onelease/onelease/internal/way"
)

func checkBasics(c *Config) error {
	switch {
	case !ValidName(c.Name):
		return fmt.Errorf("the Name is %.80q: want 1 to 64 of a-z, 0-9, \".\", \"_\" and \"-\", unlike other frontends' names", c.Name)
	case c.Refuge && c.Publisher:
		return errors.New("a Refuge that is a Publisher: it has another key than what is published; use two routers")
	case c.DontPublish != Normal && c.DontPublish != Inverted && c.DontPublish != Auto:
		return fmt.Errorf("DontPublish is %.80q: want %q, %q or %q", string(c.DontPublish), Normal, Inverted, Auto)
	}
	return nil
}

func checkRouter(c *Config) error {
	r := &c.Router
	if r.SAM == nil {
		return nil
	}
	if r.Addr != "" || r.Dial != nil || r.TLS != nil || r.User != "" || r.Password != "" {
		return errors.New("the Router has SAM and I2CP settings: choose one")
	}
	if c.Refuge {
		return errors.New("a Refuge with Router.SAM: a router used over SAM has one key only; use I2CP")
	}
	if c.Publisher {
		return errors.New("a Publisher with Router.SAM: a router used over SAM publishes for itself only; use I2CP")
	}
	return r.SAM.check()
}

func (u *UpstreamConfig) check() error {
	switch {
	case u.Keys == nil:
		return errors.New("Router.SAM.Keys is not set: over SAM the router signs, so it needs the Destination's keys")
	case !way.Loopback(u.Addr):
		return fmt.Errorf("Router.SAM.Addr is %q: want host:port on the loopback, such as 127.0.0.1:7656, for the private keys cross it in the clear", u.Addr)
	case u.UDPPort < 0 || u.UDPPort > 65335: // sam3's own limit
		return fmt.Errorf("Router.SAM.UDPPort is %d: want 1 to 65335, or 0 for 7655", u.UDPPort)
	}
	return nil
}

func checkControl(c *Config) error {
	if c.Router.SAM != nil {
		if len(c.Control.Balancers) > 0 {
			return errors.New("Control.Balancers with Router.SAM: balancers can do nothing for a router used over SAM; remove them or use I2CP")
		}
		return nil
	}
	if len(c.Control.Balancers) == 0 {
		return errors.New("Control.Balancers is empty: name one balancer at least")
	}
	for _, addr := range c.Control.Balancers {
		if c.Control.Conn == nil && !c.Control.way().Reaches(addr) {
			return fmt.Errorf("Control.Balancers has %q, which is not on the loopback: set Control.TLS", addr)
		}
	}
	if t := c.Control.TLS; t != nil && len(t.Certificates) == 0 && t.GetClientCertificate == nil {
		return errors.New("Control.TLS has no client certificate: balancers want one")
	}
	return nil
}

func checkListeners(c *Config) error {
	for _, ln := range c.SAM {
		if c.SAMTLS == nil && !isLocal(ln.Addr()) {
			return fmt.Errorf("SAM listener on %v: not on the loopback: bind 127.0.0.1, or set SAMTLS", ln.Addr())
		}
	}
	if c.SAMTLS != nil && c.SAMTLS.ClientAuth != tls.RequireAndVerifyClientCert {
		return errors.New("SAMTLS does not demand client certificates: set ClientAuth to RequireAndVerifyClientCert")
	}
	return nil
}

// isLocal reports whether what is bound to addr is out of other machines' reach.
func isLocal(addr net.Addr) bool {
	tcp, ok := addr.(*net.TCPAddr)
	return !ok || tcp.IP.IsLoopback()
}
