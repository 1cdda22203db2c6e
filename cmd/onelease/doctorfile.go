package main

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/onelease/onelease/frontend"
	"github.com/onelease/onelease/internal/daemon"
	"github.com/onelease/onelease/internal/doctor"
	"github.com/onelease/onelease/internal/routers"
	"github.com/onelease/onelease/internal/samd"
	"github.com/onelease/onelease/internal/strict"
	"github.com/onelease/onelease/internal/upd"
)

// addRouters adds what --config has, and each --router. Flags go before the file.
func (f *doctorFlags) addRouters(cmd *cobra.Command, cfg *doctor.Config) error {
	var bridge samd.Config
	if f.file != "" {
		config, err := readRole(f.file)
		if err != nil {
			return wrongUse(cmd, fmt.Errorf("configuration: %w", inFile(f.file, err)))
		}
		switch of := config.(type) {
		case *samd.Config:
			bridge = *of
		case *upd.Config:
			bridge.Routers, f.control = of.Written(), of.Control
		}
		addRole(cfg, config)
	}
	for _, text := range f.routers {
		r, err := routers.Parse(text)
		if err != nil {
			return wrongUse(cmd, err)
		}
		bridge.Routers = append(bridge.Routers, r)
	}
	written, err := bridge.Written()
	if err != nil {
		return misuse(cmd, err, samd.ErrConfig)
	}
	for _, r := range written {
		cfg.Routers = append(cfg.Routers, checkedRouter(r))
		cfg.Secrets = appendSet(cfg.Secrets, r.PasswordFile)
	}
	return nil
}

// readRole reads the file of the role that its name begins with, or else a bridge's.
func readRole(path string) (config any, err error) {
	r, err := roleOf(path)
	if err != nil {
		r, err = roleCalled("sam")
	}
	if err == nil {
		config = r.empty()
		_, err = strict.ReadFile(path, config)
	}
	return config, err
}

// addRole adds what a role's file has, but for a bridge's routers.
func addRole(cfg *doctor.Config, config any) {
	dir, balancers := "", []string(nil)
	switch c := config.(type) {
	case *samd.Config:
		dir, balancers = c.Dir, c.Balancers
		cfg.Secrets = appendSet(cfg.Secrets, c.TLSKey, c.Users)
		cfg.Certificates = appendSet(cfg.Certificates, c.TLSCert)
		for _, addr := range c.Listen {
			cfg.Listeners = append(cfg.Listeners, doctor.Listener{Addr: addr, TLS: c.TLSCert != ""})
		}
	case *frontendFile:
		dir, balancers = c.Dir, c.Balancers
		cfg.Routers = append(cfg.Routers, c.checked())
		cfg.Secrets = appendSet(cfg.Secrets, c.RouterPasswordFile)
	case *balancerFile:
		dir = c.Dir
		cfg.Secrets = appendSet(cfg.Secrets, c.PassphraseFile, c.IdentityFile)
	case *daemon.Config:
		dir, balancers = c.Dir, c.Balancers
		cfg.Keys = appendSet(cfg.Keys, c.Keys)
	case *upd.Config:
		cfg.Site = c.Dir
		cfg.Keys = appendSet(cfg.Keys, c.Keys)
	}
	cfg.Dir = cmp.Or(cfg.Dir, dir)
	if len(cfg.Balancers) == 0 {
		cfg.Balancers = balancers
	}
}

// checked is the frontend's router for the doctor.
func (f *frontendFile) checked() doctor.Router {
	return doctor.Router{
		Name: filepath.Base(f.Dir), Addr: f.Router, Publisher: f.Publisher, Refuge: f.Refuge,
		Member: f.Member || !f.Publisher && !f.Refuge, DontPublish: frontend.Quirk(f.DontPublish),
		User: f.RouterUser, Password: passwordIn(f.RouterPasswordFile),
	}
}

// passwordIn is what a file has. That it cannot be read is for the check of files to say.
func passwordIn(path string) string {
	text, _ := os.ReadFile(path)
	return strings.TrimRight(string(text), "\r\n")
}

// appendSet appends those that are set.
func appendSet(to []string, paths ...string) []string {
	return append(to, slices.DeleteFunc(paths, func(p string) bool { return p == "" })...)
}

// checkedRouter is r for the doctor.
func checkedRouter(r routers.Router) doctor.Router {
	return doctor.Router{
		Name: r.Name, Addr: r.Address, Member: r.Has(routers.Member), Publisher: r.Has(routers.Publisher), Refuge: r.Has(routers.Refuge),
		DontPublish: frontend.Quirk(r.DontPublish), User: r.User, Password: passwordIn(r.PasswordFile),
	}
}
