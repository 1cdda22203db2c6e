package routers

import (
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"

	"github.com/onelease/onelease"
	"github.com/onelease/onelease/frontend"
	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/internal/strict"
	"github.com/onelease/onelease/internal/way"
)

// What a router can be: its roles, as in onelease.Router.
const (
	Member    = "member"
	Publisher = "publisher"
	Refuge    = "refuge"
)

// A Router is one that the operator has. What the keys are for is in the tags: see strict.Key.
type Router struct {
	Name    string `toml:"name" example:"a" shown:"yes" comment:"what it is called"`
	Address string `toml:"address" value:"host:port" example:"127.0.0.1:7654" shown:"yes" comment:"host:port of its I2CP, on this machine"`
	// Roles are Member, Publisher or both, or Refuge. A router without is a Member,
	// and the only one is both.
	Roles []string `toml:"roles" example:"member" comment:"what it is for: member, publisher or both, or refuge; a member by default, and the only router is both"`
	// DontPublish is how it reads i2cp.dontPublishLeaseSet.
	DontPublish string `toml:"dont-publish" default:"normal" comment:"how it reads i2cp.dontPublishLeaseSet: normal, inverted (i2pd 2.58) or auto, which has it found out"`
	// User and PasswordFile are for Java I2P with i2cp.auth.
	User         string `toml:"user" example:"onelease" comment:"user for Java I2P with i2cp.auth"`
	PasswordFile string `toml:"password-file" value:"file" example:"/etc/onelease/i2cp-password" comment:"file with its password, which only its owner may read"`
}

// Parse reads what a flag says: "NAME=HOST:PORT", and after commas roles and how
// it reads i2cp.dontPublishLeaseSet.
func Parse(text string) (Router, error) {
	words := strings.Split(text, ",")
	var r Router
	var ok bool
	if r.Name, r.Address, ok = strings.Cut(words[0], "="); !ok {
		return r, fmt.Errorf("router %q: want NAME=HOST:PORT, and after commas %s, %s or %s", text, Member, Publisher, Refuge)
	}
	for _, word := range words[1:] {
		switch word {
		case Member, Publisher, Refuge:
			r.Roles = append(r.Roles, word)
		case string(frontend.Normal), string(frontend.Inverted), string(frontend.Auto):
			r.DontPublish = word
		default:
			return r, fmt.Errorf("router %q: %q is no role: want %s, %s or %s, or normal, inverted or auto for how it reads i2cp.dontPublishLeaseSet",
				text, word, Member, Publisher, Refuge)
		}
	}
	return r, nil
}

// Complete gives each its roles, and checks what can be read of each alone; others says that
// there are routers besides, so that a single one is not all there is. The errors are of the
// key: see strict.At.
func Complete(all []Router, others bool) error {
	if len(all) == 1 && !others && len(all[0].Roles) == 0 {
		all[0].Roles = []string{Member, Publisher}
	}
	for i := range all {
		if key, err := all[i].check(); err != nil {
			return strict.At(fmt.Errorf("router %q: %w", all[i].Name, err), "router", i, key)
		}
	}
	return nil
}

// CheckNear returns an error of the first that is not on this machine: what goes over I2CP
// is in the clear.
func CheckNear(all []Router) error {
	for i, r := range all {
		if !way.Loopback(r.Address) {
			return strict.At(fmt.Errorf("router %q: %s is not on this machine: keys would cross the network in the clear; run onelease frontend beside it", r.Name, r.Address), "router", i, "address")
		}
	}
	return nil
}

// Count is how many have each role.
func Count(all []Router) map[string]int {
	count := map[string]int{}
	for _, r := range all {
		for _, role := range r.Roles {
			count[role]++
		}
	}
	return count
}

// CheckRoles returns an error if there is none of a role that it takes to serve what.
func CheckRoles(count map[string]int, what string) error {
	switch {
	case count[Member] == 0:
		return strict.At(errors.New("no router is a member: nothing would serve; add the role to one"), "router")
	case count[Publisher] == 0:
		return strict.At(fmt.Errorf("no router is a publisher: nobody could find %s; add the role to one, best to a small router that is nothing else", what), "router")
	}
	return nil
}

var errBoth = errors.New("user and password-file: give both, or none")

// check also says which key is wrong.
func (r *Router) check() (key string, err error) {
	if len(r.Roles) == 0 {
		r.Roles = []string{Member}
	}
	for _, role := range r.Roles {
		if role != Member && role != Publisher && role != Refuge {
			return "roles", fmt.Errorf("%q is no role: want %s, %s or %s", role, Member, Publisher, Refuge)
		}
	}
	quirks := []string{"", string(frontend.Normal), string(frontend.Inverted), string(frontend.Auto)}
	_, _, err = net.SplitHostPort(r.Address)
	switch {
	case r.Name == "":
		return "name", errors.New("it has no name: give it one")
	case err != nil:
		return "address", fmt.Errorf("address %q: want host:port of its I2CP, such as 127.0.0.1:7654", r.Address)
	case !slices.Contains(quirks, r.DontPublish):
		return "dont-publish", fmt.Errorf("dont-publish %q: want normal, inverted (i2pd 2.58) or auto", r.DontPublish)
	case r.User == "" && r.PasswordFile != "":
		return "password-file", errBoth
	case r.User != "" && r.PasswordFile == "":
		return "user", errBoth
	}
	return "", nil
}

// Has reports whether it has the role.
func (r *Router) Has(role string) bool { return slices.Contains(r.Roles, role) }

// Open is r as the framework takes it, with the password that its file has.
func (r *Router) Open() (onelease.Router, error) {
	made := onelease.Router{
		Name: r.Name, Addr: r.Address, Member: r.Has(Member), Publisher: r.Has(Publisher), Refuge: r.Has(Refuge),
		DontPublish: frontend.Quirk(r.DontPublish), User: r.User,
	}
	if r.PasswordFile == "" {
		return made, nil
	}
	text, err := os.ReadFile(r.PasswordFile)
	if err == nil {
		err = i2p.CheckKeyFile(r.PasswordFile)
	}
	if err != nil {
		return made, fmt.Errorf("router %s: password: %w", r.Name, err)
	}
	made.Password = strings.TrimRight(string(text), "\r\n")
	return made, nil
}
