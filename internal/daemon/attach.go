package daemon

import (
	"context"
	"fmt"
	"sync"

	"github.com/onelease/onelease/backend"
	"github.com/onelease/onelease/backend/delegate"
	"github.com/onelease/onelease/balancer/cluster"
	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/internal/nodedir"
	"github.com/onelease/onelease/internal/pki"
	"github.com/onelease/onelease/internal/way"
)

// An attachment is who the backend is, and how it attaches and signs.
type attachment struct {
	host backend.Config
	// b32 is the Destination's address.
	b32 string
	// client and delegate are nil without a cluster.
	client   *cluster.Client
	delegate *delegate.Client
}

func attach(c Config) (*attachment, error) {
	a := &attachment{host: backend.Config{Name: c.Name, Weight: c.Weight, Standby: c.Standby, Logger: c.Logger}}
	var err error
	if c.Dir != "" {
		err = a.inCluster(c)
	} else {
		err = a.withKeys(c)
	}
	return a, err
}

// withKeys signs with the Destination's own.
func (a *attachment) withKeys(c Config) error {
	keys, err := i2p.ReadKeyFile(c.Keys)
	if err != nil {
		return err
	}
	if err := i2p.CheckKeyFile(c.Keys); err != nil {
		return err
	}
	a.b32 = keys.Destination.Base32()
	a.host.Destination, a.host.Signer, a.host.Offline = keys.Destination, keys, keys.Offline
	for _, f := range c.Frontends {
		a.host.Frontends = append(a.host.Frontends, backend.Frontend{Name: f.Name, Addr: f.Address})
	}
	return nil
}

// inCluster signs with what the leader permits.
func (a *attachment) inCluster(c Config) (err error) {
	info, err := nodedir.Read(c.Dir)
	if err != nil {
		return err
	}
	if info.Role != string(pki.Backend) {
		return fmt.Errorf("%s is the directory of a %s: make a backend's with onelease cluster invite --role backend", c.Dir, info.Role)
	}
	dest, err := info.ParseDestination()
	if err != nil {
		return fmt.Errorf("%s: %w", c.Dir, err)
	}
	a.b32, a.host.Destination, a.host.Name = dest.Base32(), dest, info.Name
	if a.client, err = cluster.NewClient(c.Dir, c.Balancers...); err != nil {
		return err
	}
	creds := a.client.Credentials()
	a.delegate, err = delegate.New(delegate.Config{
		Name: info.Name, Balancers: a.client.Balancers(), TLS: pki.ClientTLS(creds, pki.Balancer, ""),
		Destination: dest, Logger: c.Logger,
	})
	a.host.Credentials = a.delegate
	for _, f := range c.Frontends {
		dial := way.ToFrontend(f.Address, nil, pki.ClientTLS(creds, pki.Frontend, ""))
		a.host.Frontends = append(a.host.Frontends, backend.Frontend{Name: f.Name, Addr: f.Address, Dial: dial})
	}
	return err
}

// keepUp keeps the permission to sign and the certificate until the returned function
// is called, which waits.
func (a *attachment) keepUp(c Config) (stop func()) {
	if a.client == nil {
		return func() {}
	}
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	all.Go(func() {
		if err := a.delegate.Run(ctx); err != nil {
			c.Logger.Error("permission to sign", "error", err)
		}
	})
	all.Go(func() { a.client.KeepRenewed(ctx, c.Logger) })
	return func() {
		cancel()
		all.Wait()
	}
}

// reloadCertificate reads it again if it is there.
func (a *attachment) reloadCertificate() error {
	if a.client == nil {
		return nil
	}
	return a.client.Credentials().Reload()
}
