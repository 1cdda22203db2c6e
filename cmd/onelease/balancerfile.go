package main

import (
	"errors"
	"fmt"
	"net"

	"github.com/onelease/onelease/balancer/keystore"
	"github.com/onelease/onelease/internal/admin"
	"github.com/onelease/onelease/internal/strict"
)

// A balancerFile is what a balancer is made of, as its file and its flags have it. The flags
// for secrets are a secretFlags, which other commands have too.
type balancerFile struct {
	Dir            string `toml:"dir" value:"directory" example:"/var/lib/onelease/b1" shown:"yes" comment:"the balancer's directory, which onelease cluster init or join has made"`
	Listen         string `toml:"listen" value:"host:port" example:"0.0.0.0:7660" comment:"host:port to listen on, if not the address that the others know"`
	Preset         string `toml:"preset" default:"lan" comment:"timing between balancers, the same on all: lan within a site, wan between sites"`
	MaxFormat      uint32 `toml:"max-format" value:"format" example:"1" comment:"hold the cluster to an older format of its state, to be able to go back to an older program"`
	PassphraseFile string `toml:"passphrase-file" flag:"-" value:"file" example:"/etc/onelease/passphrase" comment:"file with the passphrase that seals the keys, which only its owner may read"`
	IdentityFile   string `toml:"identity-file" flag:"-" value:"file" example:"/etc/onelease/identity" comment:"file with an age identity, as age-keygen writes it, in place of a passphrase"`
	admin.Address
}

// newBalancerFile has the defaults.
func newBalancerFile() *balancerFile { return &balancerFile{Preset: "lan"} }

// check tells what is wrong without the network, and by which key.
func (f *balancerFile) check() error {
	switch {
	case f.Dir == "":
		return strict.At(errNoDir, "dir")
	case f.Preset != "lan" && f.Preset != "wan":
		return strict.At(fmt.Errorf("--preset %q: want lan or wan", f.Preset), "preset")
	case f.PassphraseFile != "" && f.IdentityFile != "":
		return strict.At(errors.New("passphrase-file and identity-file: give one of them"), "identity-file")
	}
	if _, _, err := net.SplitHostPort(f.Listen); err != nil && f.Listen != "" {
		return strict.At(fmt.Errorf("--listen %q: want host:port", f.Listen), "listen")
	}
	return f.Address.Check()
}

// secret is what the file says of it, nil if it says nothing.
func (f *balancerFile) secret() (*keystore.Secret, error) {
	switch {
	case f.PassphraseFile != "":
		return keystore.PassphraseFile(f.PassphraseFile)
	case f.IdentityFile != "":
		return keystore.IdentityFile(f.IdentityFile)
	}
	return nil, nil
}
