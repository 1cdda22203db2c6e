package samd

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

// What a router can be, see onelease.Router.
const (
	Member    = "member"
	Publisher = "publisher"
	Refuge    = "refuge"
)

// A Router is one that hosts.
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

// ParseRouter reads what a flag says: "NAME=HOST:PORT", and after commas roles and how
// it reads i2cp.dontPublishLeaseSet.
func ParseRouter(text string) (Router, error) {
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

func (c *Config) checkRouters() error {
	if len(c.Embedded) > 0 {
		return nil
	}
	if len(c.Routers)+len(c.Frontends) == 0 {
		return strict.At(errors.New("no router to host on: give --router NAME=HOST:PORT, the I2CP port of one, or [[router]] in --config"), "router")
	}
	if err := c.completeRouters(); err != nil {
		return err
	}
	count := map[string]int{}
	for i, r := range c.Routers {
		if !way.Loopback(r.Address) {
			return strict.At(fmt.Errorf("router %q: %s is not on this machine: keys would cross the network in the clear; run onelease frontend beside it", r.Name, r.Address), "router", i, "address")
		}
		for _, role := range r.Roles {
			count[role]++
		}
	}
	switch err := c.checkFrontends(count); {
	case err != nil:
		return err
	case count[Member] == 0:
		return strict.At(fmt.Errorf("no router is a %s: nothing would serve; add the role to one", Member), "router")
	case count[Publisher] == 0:
		return strict.At(fmt.Errorf("no router is a %s: nobody could find a session that listens; add the role to one, best to a small router that is nothing else", Publisher), "router")
	}
	return nil
}

// completeRouters gives each its roles, and checks what can be read of each alone.
func (c *Config) completeRouters() error {
	if len(c.Routers) == 1 && len(c.Frontends) == 0 && len(c.Routers[0].Roles) == 0 {
		c.Routers[0].Roles = []string{Member, Publisher}
	}
	for i := range c.Routers {
		if key, err := c.Routers[i].check(); err != nil {
			return strict.At(fmt.Errorf("router %q: %w", c.Routers[i].Name, err), "router", i, key)
		}
	}
	return nil
}

// Written are the routers with the roles that they have, for who looks at a setup that
// may not do to run. The errors, of what is not well written, are ErrConfig.
func (c Config) Written() ([]Router, error) {
	c.Routers = slices.Clone(c.Routers)
	if err := c.completeRouters(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	return c.Routers, nil
}

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
	case (r.User == "") != (r.PasswordFile == ""):
		return givenOf(r.User, "user", "password-file"), errors.New("user and password-file: give both, or none")
	}
	return "", nil
}

// routers are those to host on.
func (c *Config) routers() ([]onelease.Router, error) {
	routers := c.Embedded
	for _, r := range c.Routers {
		router, err := r.router()
		if err != nil {
			return nil, err
		}
		routers = append(routers, router)
	}
	return routers, nil
}

// router is r as the framework takes it.
func (r *Router) router() (onelease.Router, error) {
	has := func(role string) bool { return slices.Contains(r.Roles, role) }
	made := onelease.Router{
		Name: r.Name, Addr: r.Address, Member: has(Member), Publisher: has(Publisher), Refuge: has(Refuge),
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
