package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/onelease/onelease"
	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/internal/daemon"
	"github.com/onelease/onelease/internal/doctor"
	"github.com/onelease/onelease/internal/nodedir"
	"github.com/onelease/onelease/internal/upd"
)

// isSite reports whether a directory is that of onelease up: no node's, and with a key that it has
// made, or the socket at which it listens.
func isSite(dir string) bool {
	_, err := nodedir.Read(dir)
	return errors.Is(err, fs.ErrNotExist) && (isThere(daemon.ControlPath(dir)) || isThere(filepath.Join(dir, onelease.KeysFile)))
}

func isThere(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// addSite has the Site checked: it is asked at its control socket now, for its Destination.
func addSite(ctx context.Context, cfg *doctor.Config, control string) {
	if kept := filepath.Join(cfg.Site, onelease.KeysFile); isThere(kept) && !slices.Contains(cfg.Keys, kept) {
		cfg.Keys = append(cfg.Keys, kept)
	}
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	site, err := upd.Ask(ctx, control)
	if hash, parsed := i2p.ParseBase32(site.Destination); err == nil && parsed == nil {
		cfg.Destinations = append(cfg.Destinations, hash)
	}
	cfg.Cluster = func(context.Context) ([]doctor.Frontend, error) { return frontendsOf(site), err }
}

// frontendsOf are those of a site, one for each router.
func frontendsOf(site upd.Status) (all []doctor.Frontend) {
	for _, f := range site.Frontends {
		one := doctor.Frontend{Name: f.Name, Member: f.Member, Publisher: f.Publisher, Refuge: f.Refuge, Up: f.RouterUp, Error: f.RouterError}
		for _, t := range f.Tunnels {
			one.Tunnels = append(one.Tunnels, doctor.Tunnel{Gateway: t.Gateway, ID: t.Tunnel})
		}
		all = append(all, one)
	}
	return all
}
