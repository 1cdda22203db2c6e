package doctor

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/internal/nodedir"
	"github.com/onelease/onelease/internal/pki"
)

// askBalancer is how long one has to answer.
const askBalancer = 5 * time.Second

// nodeSecrets are the files of package pki that only their owner may read; a balancer has
// one of the CA's too.
var nodeSecrets = []string{"node.key", "ca.key.sealed", "ca.key"}

// node checks what is in Config.Dir, and who it is to talk to.
func (r *run) node() {
	dir := r.cfg.Dir
	if dir == "" {
		return
	}
	info, err := nodedir.Read(dir)
	r.start(checkNode, dir, func(context.Context) []Result {
		if err != nil {
			return bad("node-unreadable", dir, err.Error())
		}
		return good(checkNode, dir, fmt.Sprintf("%s %s", info.Role, info.Name))
	})
	if err == nil {
		r.joined(dir, info)
	}
}

// joined checks a directory that is a node's.
func (r *run) joined(dir string, info nodedir.Info) {
	creds, err := pki.Load(dir)
	r.start(checkCertificate, dir, func(context.Context) []Result { return nodeCertificate(dir, info, creds, err) })
	for _, name := range nodeSecrets {
		if path := filepath.Join(dir, name); exists(path) {
			r.start(checkFiles, path, func(context.Context) []Result { return nodeSecret(path) })
		}
	}
	if err == nil {
		r.balancers(info, creds)
	}
}

// nodeSecret also wants a CA's key to be sealed.
func nodeSecret(path string) []Result {
	results := secretFile(path)
	if filepath.Base(path) == "ca.key" && results[0].State == OK {
		return bad("ca-open", path, results[0].Found)
	}
	return results
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

func nodeCertificate(dir string, info nodedir.Info, creds *pki.Credentials, err error) []Result {
	switch {
	case errors.Is(err, pki.ErrPermissions):
		return unknown(checkCertificate, dir, "others may read its key: see the check "+checkFiles)
	case err != nil:
		return bad("certificate-unusable", dir, err.Error())
	case creds.Identity() != info.Identity():
		return bad("certificate-unusable", dir, fmt.Sprintf("it is that of %v, and node.json says %v", creds, info.Identity()))
	case errors.Is(creds.Check(time.Now()), pki.ErrNotYetValid):
		return bad("certificate-early", dir, creds.Check(time.Now()).Error())
	}
	return validity(dir, time.Time{}, creds.Expires())
}

// balancers asks each of those that are not the node itself.
func (r *run) balancers(info nodedir.Info, creds *pki.Credentials) {
	addrs := r.cfg.Balancers
	if len(addrs) == 0 {
		addrs = slices.DeleteFunc(slices.Clone(info.Balancers), func(a string) bool { return a == info.Address })
	}
	if len(addrs) == 0 || creds.Check(time.Now()) != nil {
		return // there is nobody, or the check certificate says why nobody would answer
	}
	secure := pki.ClientTLS(pki.Static(creds), pki.Balancer, "", "h2")
	r.start(checkBalancers, "", func(ctx context.Context) []Result {
		ctx, cancel := context.WithTimeout(ctx, askBalancer)
		defer cancel()
		said := make([]error, len(addrs))
		var asked sync.WaitGroup
		for i, addr := range addrs {
			asked.Go(func() { said[i] = r.shake(ctx, addr, secure) })
		}
		asked.Wait()
		return judgeBalancers(addrs, said)
	})
}

func judgeBalancers(addrs []string, said []error) (results []Result) {
	away := "balancers-away"
	if slices.Contains(said, nil) {
		away = "balancer-away"
	}
	for i, addr := range addrs {
		switch err := said[i]; {
		case err == nil:
			results = append(results, good(checkBalancers, addr, "it answers, and is of this cluster")...)
		case errors.Is(err, errStranger):
			results = append(results, bad("balancer-stranger", addr, err.Error())...)
		default:
			results = append(results, bad(away, addr, err.Error())...)
		}
	}
	return results
}

// errStranger says that a connection was made, and TLS was not.
var errStranger = errors.New("no TLS with a balancer of this cluster")

// shake connects to a balancer, makes sure that it is one, and hangs up.
func (r *run) shake(ctx context.Context, addr string, secure *tls.Config) error {
	conn, err := r.cfg.Dial(ctx, addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	err = tls.Client(conn, secure).HandshakeContext(ctx)
	if ctx.Err() != nil {
		return fmt.Errorf("it takes the connection and says nothing for %v", askBalancer)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", errStranger, err)
	}
	return nil
}

// destinations are those of the setup, by their hashes: of its key files and its node.
func (r *run) destinations() map[i2p.Hash]bool {
	all := map[i2p.Hash]bool{}
	for _, path := range r.cfg.Keys {
		if keys, err := i2p.ReadKeyFile(path); err == nil {
			all[keys.Destination.Hash()] = true
		}
	}
	for _, hash := range r.cfg.Destinations {
		all[hash] = true
	}
	if r.cfg.Dir == "" {
		return all
	}
	if info, err := nodedir.Read(r.cfg.Dir); err == nil {
		if dest, err := info.ParseDestination(); err == nil {
			all[dest.Hash()] = true
		}
	}
	return all
}

// addresses are those of this machine at which others may reach it.
func addresses() (hosts []string, err error) {
	all, err := net.InterfaceAddrs()
	if err != nil {
		return nil, err
	}
	for _, addr := range all {
		if n, ok := addr.(*net.IPNet); ok && n.IP.IsGlobalUnicast() {
			hosts = append(hosts, n.IP.String())
		}
	}
	return hosts, nil
}
