package frontend

import (
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"strings"
	"testing"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/internal/memconn"
)

// listenerAt is a listener that claims to be bound to an address.
type listenerAt struct {
	net.Listener
	addr net.Addr
}

func (l listenerAt) Addr() net.Addr { return l.addr }

func TestConfigSaysWhatIsWrong(t *testing.T) {
	keys, err := i2p.GenerateKeys()
	if err != nil {
		t.Fatal(err)
	}
	public := listenerAt{addr: &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 7656}}
	anywhere := listenerAt{addr: &net.TCPAddr{IP: net.IPv6unspecified, Port: 7656}}
	upstream := func(u UpstreamConfig) func(*Config) {
		return func(c *Config) { c.Control, c.Router = ControlConfig{}, RouterConfig{SAM: &u} }
	}
	mutual := &tls.Config{ClientAuth: tls.RequireAndVerifyClientCert}
	for _, test := range []struct {
		name   string
		change func(*Config)
		want   string // in the message; empty: no error
	}{
		{"zero values", func(*Config) {}, ""},
		{"no name", func(c *Config) { c.Name = "" }, "Name"},
		{"bad name", func(c *Config) { c.Name = "Router 1" }, "a-z"},
		{"quirk", func(c *Config) { c.DontPublish = "yes" }, "DontPublish"},
		{"refuge", func(c *Config) { c.Refuge = true }, ""},
		{"refuge that publishes", func(c *Config) { c.Refuge, c.Publisher = true, true }, "two routers"},
		{"no balancer", func(c *Config) { c.Control.Balancers = nil }, "name one balancer"},
		{"balancer in the clear", func(c *Config) { c.Control.Balancers = []string{"192.0.2.1:1"} }, "Control.TLS"},
		{"balancer by name in the clear", func(c *Config) { c.Control.Balancers = []string{"balancer:1"} }, "Control.TLS"},
		{"no client certificate", func(c *Config) { c.Control.TLS = &tls.Config{} }, "client certificate"},
		{"public SAM", func(c *Config) { c.SAM = []net.Listener{public} }, "bind 127.0.0.1, or set SAMTLS"},
		{"SAM on all addresses", func(c *Config) { c.SAM = []net.Listener{anywhere} }, "loopback"},
		{"public SAM with TLS", func(c *Config) { c.SAM, c.SAMTLS = []net.Listener{public}, mutual }, ""},
		{"SAM for everybody", func(c *Config) { c.SAM, c.SAMTLS = []net.Listener{public}, &tls.Config{} }, "RequireAndVerifyClientCert"},
		{"SAM in memory", func(c *Config) { c.SAM = []net.Listener{memconn.Listen("x")} }, ""},
		{"upstream", upstream(UpstreamConfig{Addr: "127.0.0.1:7656", Keys: keys}), ""},
		{"upstream elsewhere", upstream(UpstreamConfig{Addr: "192.0.2.1:7656", Keys: keys}), "loopback"},
		{"upstream without keys", upstream(UpstreamConfig{Addr: "127.0.0.1:7656"}), "Keys"},
		{"upstream and balancers", func(c *Config) {
			c.Router.SAM = &UpstreamConfig{Addr: "127.0.0.1:7656", Keys: keys}
		}, "Balancers"},
		{"upstream of a refuge", func(c *Config) {
			c.Control, c.Router, c.Refuge = ControlConfig{}, RouterConfig{SAM: &UpstreamConfig{Addr: "127.0.0.1:7656", Keys: keys}}, true
		}, "use I2CP"},
		{"upstream and I2CP", func(c *Config) {
			c.Router = RouterConfig{Addr: "127.0.0.1:7654", SAM: &UpstreamConfig{Addr: "127.0.0.1:7656", Keys: keys}}
		}, "choose one"},
	} {
		t.Run(test.name, func(t *testing.T) { checkConfig(t, test.change, test.want) })
	}
}

func checkConfig(t *testing.T, change func(*Config), want string) {
	cfg := Config{Name: "f1", Control: ControlConfig{Balancers: []string{"127.0.0.1:7660"}}}
	change(&cfg)
	_, err := New(cfg)
	switch {
	case want == "" && err != nil:
		t.Error(err)
	case want != "" && (!errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), want)):
		t.Errorf("error %v, want one that says %q", err, want)
	}
}

func TestWarningsAreNotRepeated(t *testing.T) {
	out := &logBuffer{}
	log := slog.New(newRepeats(slog.NewTextHandler(out, nil))).With("part", "test")
	for port := range 5 {
		log.Warn("failed", "err", &net.OpError{Op: "dial", Err: errors.New("refused"), Addr: &net.TCPAddr{Port: port}})
	}
	if n := out.count("failed"); n != 1 {
		t.Errorf("the same warning %d times", n)
	}
	log.Warn("failed", "err", errors.New("another reason"))
	if n := out.count("failed"); n != 2 {
		t.Error("a warning with another reason is missing")
	}
	log.Info("works")
	log.Warn("failed", "err", errors.New("another reason"))
	if n := out.count("failed"); n != 3 {
		t.Error("the first warning after news is missing")
	}
	log.Error("broken")
	log.Error("broken")
	if n := out.count("broken"); n != 2 {
		t.Errorf("%d errors, want both", n)
	}
}
