package doctor

import (
	"context"
	"fmt"
	"net"
	"slices"
	"time"

	"github.com/onelease/onelease/frontend"
	"github.com/onelease/onelease/i2p/i2cp"
)

const (
	// clockFail is the specification's limit for a session's date ("Session Config"), and
	// clockWarn what a machine with NTP does not come near.
	clockFail = 30 * time.Second
	clockWarn = 5 * time.Second
)

// A met router has been greeted, when done is closed.
type met struct {
	Router
	dial     dialer
	done     chan struct{}
	greeting greeting
	err      error
}

// routers greets each, and asks more of those that answer.
func (r *run) routers() {
	var all []*met
	var greeted []<-chan struct{}
	for _, router := range r.cfg.Routers {
		m := &met{Router: router, done: make(chan struct{})}
		m.dial = func(ctx context.Context) (net.Conn, error) { return r.cfg.Dial(ctx, router.Addr) }
		all, greeted = append(all, m), append(greeted, m.done)
		r.start(checkRouter, m.Name, m.meet)
	}
	if len(all) > 0 {
		r.start(checkClock, "", func(context.Context) []Result { return clocks(all) }, greeted...)
	}
	looked := r.destinations()
	for _, m := range all {
		r.start(checkSession, m.Name, m.ifMet(checkSession, m.session), m.done)
		r.start(checkTunnels, m.Name, m.ifMet(checkTunnels, r.probe(m)), m.done)
		for hash := range looked {
			if r.probesNetDB() {
				break // the self-test tells more
			}
			r.start(checkNetDB, m.Name, m.ifMet(checkNetDB, r.netDB(m, hash)), m.done)
		}
	}
}

// meet greets the router.
func (m *met) meet(ctx context.Context) []Result {
	defer close(m.done)
	m.greeting, m.err = greet(ctx, m.dial, m.User, m.Password)
	if m.err != nil {
		fault, found := greetFault(ctx, m.dial, m.err)
		return bad(fault, m.Name, m.Addr+": "+found)
	}
	version := "API " + m.greeting.version
	if m.greeting.version == ourVersion || m.greeting.version == "" {
		version = "it does not tell its version, as older i2pd does not"
	}
	return good(checkRouter, m.Name, fmt.Sprintf("I2CP at %s; %.80s", m.Addr, version))
}

// ifMet leaves do out where the router has not answered.
func (m *met) ifMet(check string, do func(context.Context) []Result) func(context.Context) []Result {
	return func(ctx context.Context) []Result {
		if m.err != nil {
			return unknown(check, m.Name, "not checked: the router does not answer")
		}
		return do(ctx)
	}
}

// clocks compares those of all routers with ours. If two or more of them agree, and ours
// does not, ours is wrong.
func clocks(all []*met) (results []Result) {
	var ahead []time.Duration
	for _, m := range all {
		if m.err == nil {
			ahead = append(ahead, m.greeting.ahead)
		}
	}
	if len(ahead) == 0 {
		return unknown(checkClock, "", "not checked: no router answers")
	}
	least, most := slices.Min(ahead), slices.Max(ahead)
	if len(ahead) > 1 && most-least <= clockWarn && least.Abs() > clockFail && most.Abs() > clockFail {
		return bad("clock-here", "", fmt.Sprintf("all %d routers are %s", len(ahead), span(least)))
	}
	for _, m := range all {
		if m.err == nil {
			results = append(results, clock(m)...)
		}
	}
	return results
}

func clock(m *met) []Result {
	found := span(m.greeting.ahead)
	switch off := m.greeting.ahead.Abs(); {
	case off > clockFail:
		return bad("clock-router", m.Name, found)
	case off > clockWarn:
		return bad("clock-drift", m.Name, found)
	}
	return good(checkClock, m.Name, found)
}

// span says how far a clock is ahead of ours.
func span(ahead time.Duration) string {
	if ahead.Abs() < time.Second {
		return "less than a second off"
	}
	if ahead < 0 {
		return fmt.Sprintf("%v behind this machine", -ahead.Round(time.Second))
	}
	return fmt.Sprintf("%v ahead of this machine", ahead.Round(time.Second))
}

// config is for clients of the router.
func (m *met) config() i2cp.Config {
	return i2cp.Config{Addr: m.Addr, Dial: m.dial, User: m.User, Password: m.Password, HandshakeTimeout: greetLimit}
}

// frontend is the same for package frontend.
func (m *met) frontend() frontend.RouterConfig {
	return frontend.RouterConfig{Addr: m.Addr, Dial: m.dial, User: m.User, Password: m.Password}
}
