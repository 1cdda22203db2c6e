// Package servicetest is for authors of services: it runs one on a network in
// memory, with loss if wanted, and has remotes to ask it.
//
//	func TestSite(t *testing.T) {
//		synctest.Test(t, func(t *testing.T) {
//			world := servicetest.Start(t, site{}, servicetest.Options{Loss: 0.05})
//			response, err := world.Remote().Client().Get("http://" + world.Address(80))
//			...
//		})
//	}
//
// A test begins so whatever the service does: what it has opened is found by
// Address. Frontends can be killed meanwhile (World.Frontends), which a service
// should not notice. When the test ends the service is told to end, and an error of
// it fails the test.
//
// It works inside testing/synctest, where minutes take no time, and outside. The
// service runs on a real backend.Host, as does each remote; between them are
// backendtest.Frontends in place of routers, which follow the rules of stock routers
// in short (backendtest.Net). For whole routers, with tunnels and a netDB, see
// package test/embedded.
//
// Conform runs the program of a plugin through what Onelease asks of every one.
//
// It is a package of its own, since the tests of package backend use backendtest.
package servicetest

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"sync"
	"testing"

	"github.com/onelease/onelease/backend"
	"github.com/onelease/onelease/backend/backendtest"
	"github.com/onelease/onelease/i2p"
)

// Options are what the network is like; the zero value loses nothing.
type Options struct {
	// Frontends is how many there are, 2 if 0: routers that serve the Destination.
	Frontends int
	// Loss is the probability that a packet is lost, 0 to 1; of I2P some percent are.
	Loss float64
	// Seed of the losses. With the same, and one stream at a time, the same are lost.
	Seed uint64
	// Logger is for the service and its Host; nowhere if nil.
	Logger *slog.Logger
}

// A World is a service that runs, and the network that it runs on.
type World struct {
	t         testing.TB
	options   Options
	keys      *i2p.Keys
	frontends []*backendtest.Frontend
	net       *backendtest.Net
	host      *backend.Host

	stop     context.CancelFunc
	done     chan struct{} // closed when the service has ended
	err      error         // of it
	remotes  context.Context
	hosts    sync.WaitGroup
	endHosts context.CancelFunc
	made     int // remotes
}

// Start runs service until the test ends.
func Start(t testing.TB, service backend.Service, options Options) *World {
	t.Helper()
	keys, err := i2p.GenerateKeys()
	if err != nil {
		t.Fatal(err)
	}
	options.Frontends = cmp.Or(options.Frontends, 2)
	options.Logger = cmp.Or(options.Logger, slog.New(slog.DiscardHandler))
	w := &World{t: t, options: options, keys: keys, done: make(chan struct{})}
	config := backend.Config{Destination: keys.Destination, Signer: keys, Logger: options.Logger}
	for i := range options.Frontends {
		f := backendtest.NewFrontend(keys.Destination)
		w.frontends = append(w.frontends, f)
		config.Frontends = append(config.Frontends, backend.Frontend{Name: fmt.Sprintf("frontend-%d", i+1), Dial: f.Dial})
	}
	if w.host, err = backend.NewHost(config); err != nil {
		t.Fatal(err)
	}
	w.net = backendtest.NewNet(t, w.frontends)
	w.net.Lose(options.Loss, options.Seed)
	w.run(service)
	return w
}

// run is one goroutine for the service. The order in which all ends is that of Net.
func (w *World) run(service backend.Service) {
	var ctx context.Context
	ctx, w.stop = context.WithCancel(context.Background())
	w.remotes, w.endHosts = context.WithCancel(context.Background())
	go func() {
		defer close(w.done)
		w.err = backend.Run(ctx, w.host, service)
	}()
	w.t.Cleanup(func() {
		if err := w.Stop(); err != nil {
			w.t.Errorf("the service ended with: %v", err)
		}
		w.endHosts()
		w.hosts.Wait()
		w.net.Close()
		for _, f := range w.frontends {
			f.Close()
		}
	})
}

// Stop tells the service to end, as when its program is told to, waits until it has,
// and returns the error that it ended with before, if it did. Remotes can still read
// what it has sent.
func (w *World) Stop() error {
	w.stop()
	<-w.done
	return w.err
}

// Done is closed when the service has ended.
func (w *World) Done() <-chan struct{} { return w.done }

// Destination is the service's.
func (w *World) Destination() i2p.Destination { return w.keys.Destination }

// Address is that of a port of the service, "b32:port".
func (w *World) Address(port uint16) string { return i2p.NewAddr(w.keys.Destination, port).String() }

// Frontends are those of the service, to Kill or Freeze, and bring Up again.
func (w *World) Frontends() []*backendtest.Frontend { return w.frontends }

// Lost is how many packets were lost.
func (w *World) Lost() int { return w.net.Lost() }

// Host is the service's, to ask for its Stats.
func (w *World) Host() *backend.Host { return w.host }
