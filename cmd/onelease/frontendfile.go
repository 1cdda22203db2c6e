package main

import (
	"cmp"
	"errors"
	"fmt"
	"net"

	"github.com/onelease/onelease/frontend"
	"github.com/onelease/onelease/internal/admin"
	"github.com/onelease/onelease/internal/strict"
	"github.com/onelease/onelease/internal/way"
)

// A frontendFile is what a frontend is made of, as its file and its flags have it.
type frontendFile struct {
	Dir                string   `toml:"dir" value:"directory" example:"/var/lib/onelease/router-1" shown:"yes" comment:"the frontend's directory, which onelease cluster join has made"`
	Balancers          []string `toml:"balancers" flag:"balancer" value:"host:port" example:"10.0.0.1:7660,10.0.0.2:7660" comment:"host:port of a balancer, in place of those that dir names"`
	Router             string   `toml:"router" value:"host:port" default:"127.0.0.1:7654" comment:"host:port of the router's I2CP, on this machine"`
	RouterUser         string   `toml:"router-user" value:"user" example:"onelease" comment:"user for Java I2P with i2cp.auth"`
	RouterPasswordFile string   `toml:"router-password-file" value:"file" example:"/etc/onelease/i2cp-password" comment:"file with its password, which only its owner may read"`
	Member             bool     `toml:"member" default:"false" comment:"the router serves; so it does if it is neither member nor publisher nor refuge"`
	Publisher          bool     `toml:"publisher" default:"false" comment:"the router publishes the LeaseSet"`
	Refuge             bool     `toml:"refuge" default:"false" comment:"the router takes in, after a loss, whom no other can serve at once"`
	DontPublish        string   `toml:"dont-publish" default:"normal" comment:"how the router reads i2cp.dontPublishLeaseSet: normal, inverted (i2pd 2.58) or auto"`
	SAM                []string `toml:"sam" value:"host:port" example:"127.0.0.1:7670" comment:"host:port to serve backends on; by TLS if that is not the loopback"`
	Guests             string   `toml:"guests" value:"host:port" example:"10.0.0.5:7671" comment:"host:port at which guests of the cluster may open Destinations of their own; by TLS"`
	GuestsOf           []string `toml:"guests-of" value:"names" example:"sam-1" comment:"names of the guests and backends that may: all by default"`
	GuestsMax          int      `toml:"guests-max" default:"1000" comment:"most Destinations of all guests"`
	GuestsPerBackend   int      `toml:"guests-per-backend" example:"100" comment:"most Destinations of one guest: guests-max by default"`
	admin.Address
}

// newFrontendFile has the defaults.
func newFrontendFile() *frontendFile {
	return &frontendFile{Router: "127.0.0.1:7654", DontPublish: string(frontend.Normal), GuestsMax: 1000}
}

// check tells what is wrong without the network, and by which key.
func (f *frontendFile) check() error {
	if f.Dir == "" {
		return strict.At(errNoDir, "dir")
	}
	return cmp.Or(f.checkRouter(), f.checkRoles(), f.checkGuests(), f.Address.Check())
}

// checkRouter keeps what is secret from crossing a network in the clear.
func (f *frontendFile) checkRouter() error {
	_, _, err := net.SplitHostPort(f.Router)
	switch {
	case err != nil:
		return strict.At(fmt.Errorf("--router %q: want host:port of the router's I2CP", f.Router), "router")
	case !way.Loopback(f.Router):
		return strict.At(fmt.Errorf("--router %s is not on this machine: LeaseSets' keys would cross the network in the clear; run the frontend beside its router", f.Router), "router")
	case (f.RouterUser == "") != (f.RouterPasswordFile == ""):
		key := "router-user"
		if f.RouterUser == "" {
			key = "router-password-file"
		}
		return strict.At(errors.New("--router-user and --router-password-file: give both, or none"), key)
	}
	return nil
}

func (f *frontendFile) checkRoles() error {
	switch f.DontPublish {
	case "normal", "inverted", "auto":
	default:
		return strict.At(fmt.Errorf("--dont-publish %q: want normal, inverted or auto", f.DontPublish), "dont-publish")
	}
	if f.Refuge && (f.Member || f.Publisher) {
		return strict.At(errors.New("--refuge with --member or --publisher: a refuge has another key than those; use a router of its own"), "refuge")
	}
	if !f.Member && f.Publisher && len(f.SAM) > 0 {
		return strict.At(errors.New("--sam with a router that only publishes: it serves no backends; leave it out, or add --member"), "sam")
	}
	for _, addr := range f.SAM {
		if _, _, err := net.SplitHostPort(addr); err != nil {
			return strict.At(fmt.Errorf("--sam %q: want host:port to serve backends on", addr), "sam")
		}
	}
	return nil
}

func (f *frontendFile) checkGuests() error {
	const alone = "--guests-of, --guests-max and --guests-per-backend go with --guests: give its host:port"
	switch {
	case f.Guests == "" && len(f.GuestsOf) > 0:
		return strict.At(errors.New(alone), "guests-of")
	case f.Guests == "" && f.GuestsMax != newFrontendFile().GuestsMax:
		return strict.At(errors.New(alone), "guests-max")
	case f.Guests == "" && f.GuestsPerBackend != 0:
		return strict.At(errors.New(alone), "guests-per-backend")
	case f.GuestsMax < 1:
		return strict.At(fmt.Errorf("--guests-max %d: want 1 or more; leave --guests out to have none", f.GuestsMax), "guests-max")
	case f.GuestsPerBackend < 0:
		return strict.At(fmt.Errorf("--guests-per-backend %d: want 1 or more; leave --guests out to have none", f.GuestsPerBackend), "guests-per-backend")
	}
	return nil
}
