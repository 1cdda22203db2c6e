package doctor

import (
	"context"
	"fmt"
	"net"
	"slices"
	"sync"

	"github.com/onelease/onelease/internal/way"
)

// ports checks who can connect to what the setup uses and opens.
func (r *run) ports() {
	for _, router := range r.cfg.Routers {
		r.start(checkPorts, router.Name, func(ctx context.Context) []Result { return r.openWide(ctx, router) })
	}
	for _, l := range r.cfg.Listeners {
		r.start(checkPorts, l.Addr, func(context.Context) []Result { return judgeListener(l) })
	}
}

func judgeListener(l Listener) []Result {
	switch {
	case way.Loopback(l.Addr):
		return good(checkPorts, l.Addr, "only this machine can connect")
	case l.TLS:
		return good(checkPorts, l.Addr, "others must speak TLS")
	}
	return bad("listener-plain", l.Addr, "others can connect without TLS")
}

// openWide tries the router's port on the machine's other addresses.
func (r *run) openWide(ctx context.Context, router Router) []Result {
	if !way.Loopback(router.Addr) {
		return bad("i2cp-remote", router.Name, router.Addr+" is not a loopback address")
	}
	_, port, err := net.SplitHostPort(router.Addr)
	if err != nil {
		return unknown(checkPorts, router.Name, err.Error())
	}
	hosts, err := r.cfg.Addresses()
	if err != nil {
		return unknown(checkPorts, router.Name, "this machine's addresses: "+err.Error())
	}
	if len(hosts) == 0 {
		return good(checkPorts, router.Name, "this machine has no address but the loopback")
	}
	if open := r.speaking(ctx, hosts, port); len(open) > 0 {
		return bad("i2cp-open", router.Name, fmt.Sprintf("I2CP answers at %v", open))
	}
	return good(checkPorts, router.Name, fmt.Sprintf("I2CP does not answer at any of %d other addresses", len(hosts)))
}

// speaking are those of the addresses at which I2CP is spoken. A wrong password is an
// answer as well.
func (r *run) speaking(ctx context.Context, hosts []string, port string) (open []string) {
	var mu sync.Mutex
	var asked sync.WaitGroup
	for _, host := range hosts {
		addr := net.JoinHostPort(host, port)
		asked.Go(func() {
			_, err := greet(ctx, func(ctx context.Context) (net.Conn, error) { return r.cfg.Dial(ctx, addr) }, "", "")
			if err == nil || isPassword(err) {
				mu.Lock()
				defer mu.Unlock()
				open = append(open, addr)
			}
		})
	}
	asked.Wait()
	slices.Sort(open)
	return open
}
