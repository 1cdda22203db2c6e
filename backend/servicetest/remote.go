package servicetest

import (
	"log/slog"
	"net/http"

	"github.com/onelease/onelease/backend"
	"github.com/onelease/onelease/backend/backendtest"
)

// A Remote is somebody else. It is a Host of another Destination, with the whole of
// that: DialContext to World.Address, ListenPacket for datagrams from and to the
// service, Listen for streams that the service begins.
type Remote struct {
	*backend.Host
	// At is the remote's place on the network: which frontend it sends by.
	At *backendtest.HostRemote
}

// Remote adds one that publishes its LeaseSet. The first one's session is with the
// first frontend's router, the second one's with the second's, and so on in turn.
func (w *World) Remote() *Remote { return w.remote(false) }

// Unpublished adds one that publishes none, as browsers behind a proxy: it cannot be
// dialled, nor moved to another frontend when its own is killed.
func (w *World) Unpublished() *Remote { return w.remote(true) }

func (w *World) remote(unpublished bool) *Remote {
	w.t.Helper()
	at := w.net.NewHostRemote(w.made%len(w.frontends), unpublished)
	w.made++
	host, err := backend.NewHost(backend.Config{
		Destination: at.Destination, Signer: at.Keys, Logger: slog.New(slog.DiscardHandler),
		Frontends: []backend.Frontend{{Name: "own", Dial: at.Own.Dial}},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.hosts.Go(func() { _ = host.Run(w.remotes) })
	if err := host.WaitReady(w.remotes); err != nil {
		w.t.Fatal(err)
	}
	return &Remote{host, at}
}

// Client is an HTTP client whose connections r dials. Each request has a connection
// of its own, so that none is open when the test ends.
func (r *Remote) Client() *http.Client {
	return &http.Client{Transport: &http.Transport{DialContext: r.DialContext, DisableKeepAlives: true}}
}
