// Package embedded is an I2P network inside the program, for tests and for trying
// things: routers to host a Destination on, and remotes that reach it. It needs
// nothing installed and opens no socket.
//
//	network := embedded.Start(embedded.Config{})
//	defer network.Close()
//	go onelease.Run(ctx, onelease.Config{Keys: keys, Routers: network.Routers(), Service: service})
//	client := http.Client{Transport: &http.Transport{DialContext: network.Remote().DialContext}}
//	response, err := client.Get("http://" + keys.Destination.Base32() + "/")
//
// It is package simnet with what a program needs around it, and lives here, with
// what crosses packages, since i2p/... knows none of the parts. All parts of
// Onelease run as they do on real routers: I2CP sessions, LeaseSets in a netDB,
// SAM between frontends and backend.
//
// # What it is like
//
// It is as hard as the network that simnet models, and no kinder: what a real
// router loses, refuses, forgets or does late, happens here, with 50 ms from anywhere to
// anywhere. One thing only is faster, and once: the first tunnels of each
// Destination on each router are there after 0.8 s in place of a
// quarter of a minute, so that a first request is answered after a second or two.
// Tunnels after that, and after a router or a session was lost, take as long as they do. See
// Config.Slow.
//
// It goes by the clock of package time, so inside testing/synctest by that of the
// bubble: then a test of minutes takes none.
package embedded

import (
	"cmp"
	"fmt"
	"log"
	"log/slog"
	"sync"
	"time"

	"github.com/onelease/onelease"
	"github.com/onelease/onelease/frontend"
	"github.com/onelease/onelease/i2p/simnet"
)

// Config is what a Network is made of; its zero value is one without loss and with
// two members.
type Config struct {
	// Members are the routers that serve, 2 if 0; one that publishes is added. They
	// are "member-1" and so on, and "publisher", for Network.Router.
	Members int
	// Profile is how all routers behave; simnet.I2PD258 if its Name is empty.
	Profile simnet.Profile
	// Link is what lies between any two Destinations: latency, loss.
	Link simnet.Link
	// Seed of all chance.
	Seed uint64
	// Slow has first tunnels take as long as others.
	Slow bool
	// Names are host names, such as "zzz.i2p", that all routers' address books have.
	// Behind each is a remote with a small site.
	Names []string
	// Logger is for what the network has to say, nowhere if nil.
	Logger *slog.Logger
}

// opening is when the first tunnels of a Destination are there.
const opening = 800 * time.Millisecond

// A Network is one that runs. Its simnet.Network can be asked, and made worse:
// network.Router("member-1").Kill() is a router whose machine lost its power.
type Network struct {
	*simnet.Network
	profile simnet.Profile
	routers []onelease.Router
	sites   sync.WaitGroup
	quiet   *log.Logger
}

// Start starts a Network. Close it when the Destinations on it have ended.
func Start(cfg Config) *Network {
	if cfg.Profile.Name == "" {
		cfg.Profile = simnet.I2PD258
	}
	sim := simnet.Config{Seed: cfg.Seed, Link: cfg.Link, Logger: cmp.Or(cfg.Logger, slog.New(slog.DiscardHandler))}
	if !cfg.Slow {
		sim.Tunnels.Opening = opening
	}
	n := &Network{Network: simnet.New(sim), profile: cfg.Profile, quiet: slog.NewLogLogger(sim.Logger.Handler(), slog.LevelDebug)}
	for i := range cmp.Or(cfg.Members, 2) {
		n.add(onelease.Router{Name: fmt.Sprintf("member-%d", i+1), Member: true})
	}
	n.add(onelease.Router{Name: "publisher", Publisher: true})
	for _, host := range cfg.Names {
		n.addSite(host)
	}
	return n
}

// add adds a router of that name and roles.
func (n *Network) add(r onelease.Router) {
	r.Dial = n.NewRouter(simnet.RouterConfig{Name: r.Name, Profile: n.profile}).DialI2CP
	r.Addr, r.Embedded, r.DontPublish = r.Name, true, frontend.Normal // the address is for logs
	if n.profile.I2CP.DontPublishInverted {
		r.DontPublish = frontend.Inverted
	}
	n.routers = append(n.routers, r)
}

// Routers are for onelease.Config.Routers. Several Destinations may use them.
func (n *Network) Routers() []onelease.Router { return append([]onelease.Router(nil), n.routers...) }
