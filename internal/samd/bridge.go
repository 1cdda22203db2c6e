package samd

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"

	"github.com/onelease/onelease"
	"github.com/onelease/onelease/balancer/cluster"
	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/internal/admin"
	"github.com/onelease/onelease/plugins/sambridge"
)

// A Bridge has its sockets, and serves when it is Run.
type Bridge struct {
	cfg       Config
	hosting   *onelease.Hosting
	bridge    *sambridge.Bridge
	listeners []net.Listener
	packets   net.PacketConn
	cluster   *cluster.Client // nil without Config.Frontends
	users     *sambridge.Users
	// cert is what new connections get, nil without TLS.
	cert  atomic.Pointer[tls.Certificate]
	admin *admin.Endpoint // nil without Config.Admin
}

// New checks everything that can be before there is a network, and opens the sockets.
// Errors are ErrConfig, and those of files and sockets.
func New(c Config) (*Bridge, error) {
	c, err := c.complete()
	if err != nil {
		return nil, err
	}
	b := &Bridge{cfg: c, users: new(sambridge.Users)}
	if err := b.prepare(); err != nil {
		return nil, errors.Join(err, b.Close())
	}
	return b, nil
}

func (b *Bridge) prepare() error {
	hosts, err := b.cfg.routers()
	if err != nil {
		return err
	}
	serve := sambridge.Config{
		AllowPlain: b.cfg.AllowPlain, Auth: b.cfg.Auth, ForwardAnywhere: b.cfg.ForwardAnywhere,
		Limits: sambridge.Limits{Conns: b.cfg.MaxConnections, Streams: b.cfg.MaxStreams},
		Logger: b.cfg.Logger,
	}
	if err := b.readFiles(&serve); err != nil {
		return err
	}
	frontends, err := b.join()
	if err != nil {
		return err
	}
	b.hosting, err = onelease.NewHosting(onelease.HostingConfig{
		Routers: hosts, Frontends: frontends, Near: !b.cfg.Apart,
		Max: b.cfg.MaxSessions, MaxPerOwner: b.cfg.MaxSessionsPerUser, Logger: b.cfg.Logger,
	})
	if err != nil {
		return fmt.Errorf("%w: %w", ErrConfig, err)
	}
	if err := b.listen(); err != nil {
		return err
	}
	if b.admin, err = admin.Open(b.cfg.Address.Config(b.cfg.Logger)); err != nil {
		return err
	}
	serve.Hosting, serve.Listeners, serve.Packets = b.hosting, b.listeners, b.packets
	b.bridge, err = sambridge.New(serve)
	return err
}

// readFiles reads the certificate and the users.
func (b *Bridge) readFiles(serve *sambridge.Config) (err error) {
	if b.cfg.Users != "" {
		if b.users, err = sambridge.OpenUsers(b.cfg.Users); err != nil {
			return err
		}
	}
	serve.Users = b.users
	cert, err := b.cfg.certificate()
	if cert == nil || err != nil {
		return err
	}
	b.cert.Store(cert)
	serve.TLS = &tls.Config{
		MinVersion:     tls.VersionTLS12,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return b.cert.Load(), nil },
	}
	return nil
}

// certificate reads that of TLS, nil if there is to be none.
func (c *Config) certificate() (*tls.Certificate, error) {
	if c.TLSCert == "" {
		return nil, nil
	}
	if err := i2p.CheckKeyFile(c.TLSKey); err != nil {
		return nil, fmt.Errorf("key of the certificate: %w", err)
	}
	cert, err := tls.LoadX509KeyPair(c.TLSCert, c.TLSKey)
	if err != nil {
		return nil, fmt.Errorf("certificate: %w", err)
	}
	return &cert, nil
}

func (b *Bridge) listen() error {
	for _, addr := range b.cfg.Listen {
		ln, err := net.Listen("tcp", addr)
		if err != nil {
			return fmt.Errorf("listen for SAM clients: %w; does a router serve SAM there? Give another --listen", err)
		}
		b.listeners = append(b.listeners, ln)
	}
	if b.cfg.UDP == NoUDP {
		return nil
	}
	packets, err := net.ListenPacket("udp", b.cfg.UDP)
	if err != nil {
		return fmt.Errorf("listen for datagrams: %w; does a router serve SAM there? Give another --udp, or none", err)
	}
	b.packets = packets
	return nil
}

// Addrs are where clients connect to.
func (b *Bridge) Addrs() (addrs []string) {
	for _, ln := range b.listeners {
		addrs = append(addrs, ln.Addr().String())
	}
	return addrs
}

// UDPAddr is where datagrams go to, "" if there is no such port.
func (b *Bridge) UDPAddr() string {
	if b.packets == nil {
		return ""
	}
	return b.packets.LocalAddr().String()
}

// Run serves until ctx ends, which is no error. It can be called once.
func (b *Bridge) Run(ctx context.Context) error {
	var renewing sync.WaitGroup
	defer renewing.Wait()
	renew, stop := context.WithCancel(ctx)
	defer stop()
	renewing.Go(func() { b.keepRenewed(renew) })
	unwatch := b.admin.Serve(b.Watch)
	err := b.bridge.Run(ctx)
	unwatch()
	return errors.Join(err, b.Close())
}

// Close closes the sockets, and ends all Destinations. After Run there is no need of it.
func (b *Bridge) Close() (err error) {
	for _, ln := range b.listeners {
		ln.Close()
	}
	if b.packets != nil {
		b.packets.Close()
	}
	b.admin.Close()
	if b.hosting != nil {
		err = b.hosting.Close()
	}
	return err
}
