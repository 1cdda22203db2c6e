package sambridge

import (
	"net/url"
	"strings"
	"time"

	"github.com/onelease/onelease/i2p/sam"
)

// authorize decides who the connection's user is, and whether it may go on. Where no
// password is needed, one of a user that there is must be right all the same.
func (c *conn) authorize(name, password string) error {
	needed := !c.local || c.b.auth.Load()
	right, admin, known := c.b.cfg.Users.quick(name, password)
	switch {
	case right:
		c.user, c.admin = name, admin
		return nil
	case !needed && !known:
		return nil
	case needed && name == "":
		c.b.stats.wrongPasswords.Add(1)
		return sam.Refusef(sam.ResultI2PError, "USER and PASSWORD required")
	}
	return c.authorizeSlowly(name, password)
}

// authorizeSlowly checks a password that was not given before: a few at a time, and
// ever more slowly for a source whose passwords are wrong.
func (c *conn) authorizeSlowly(name, password string) error {
	wait, ok := c.b.failures.admit(c.area, time.Now())
	if !ok {
		c.b.stats.wrongPasswords.Add(1)
		return sam.Refusef(sam.ResultI2PError, "too many logins at once from your address, or wrong ones; wait a minute")
	}
	select {
	case <-time.After(wait):
	case <-c.b.ctx.Done():
	}
	admin, err := c.checkPassword(name, password)
	count := c.b.failures.done(c.area, err != nil, time.Now())
	if err != nil {
		c.b.stats.wrongPasswords.Add(1)
		if count == tellAfter {
			c.b.log.Warn("somebody tries passwords; they are slowed down", "source", c.area)
		}
		return sam.Refusef(sam.ResultI2PError, "Authorization failed")
	}
	c.user, c.admin = name, admin
	return nil
}

// checkPassword waits for its turn. Another connection may have shown the password to
// be right meanwhile.
func (c *conn) checkPassword(name, password string) (admin bool, err error) {
	select {
	case c.b.checking <- struct{}{}:
	case <-c.b.ctx.Done():
		return false, ErrPassword
	}
	defer func() { <-c.b.checking }()
	if right, admin, _ := c.b.cfg.Users.quick(name, password); right {
		return admin, nil
	}
	return c.b.cfg.Users.check(name, password)
}

// tellAfter is how many wrong passwords of a source are worth a line in the log.
const tellAfter = 10

// maxChecks is how many passwords are checked at a time: they cost a processor a
// tenth of a second each.
const maxChecks = 2

// onAuth serves AUTH, for who may: an administrator, or anybody on the loopback while no
// password is asked for there.
func (c *conn) onAuth() error {
	if !c.admin && (!c.local || c.b.auth.Load()) {
		return c.reply(sam.KindAuthStatus, sam.Refusef(sam.ResultI2PError, "AUTH is for administrators: log in as one"))
	}
	name, password := c.cmd.Value("USER"), c.cmd.Value("PASSWORD")
	var err error
	switch c.cmd.Kind {
	case sam.KindAuthEnable:
		err = c.enableAuth()
	case sam.KindAuthDisable:
		c.b.auth.Store(false)
	case sam.KindAuthAdd:
		err = c.addUser(name, password)
	case sam.KindAuthRemove:
		err = c.removeUser(name)
	case sam.KindAuthList:
		return c.listUsers()
	}
	return c.reply(sam.KindAuthStatus, err)
}

// enableAuth asks for passwords from now on. Without a user it would lock all out.
func (c *conn) enableAuth() error {
	if len(c.b.cfg.Users.Names()) == 0 {
		return sam.Refusef(sam.ResultI2PError, "there is no user yet: AUTH ADD one first")
	}
	c.b.auth.Store(true)
	return nil
}

func (c *conn) addUser(name, password string) error {
	if name == "" || password == "" {
		return sam.Refusef(sam.ResultI2PError, "USER and PASSWORD required")
	}
	c.b.checking <- struct{}{}
	defer func() { <-c.b.checking }()
	return c.b.cfg.Users.Add(name, password)
}

func (c *conn) removeUser(name string) error {
	if name == "" {
		return sam.Refusef(sam.ResultI2PError, "USER required")
	}
	return c.b.cfg.Users.Remove(name)
}

// listUsers says who there is: USERS has the names with a space between. One that has a space
// in it is escaped as in a URL. The specification has no such command.
func (c *conn) listUsers() error {
	names := c.b.cfg.Users.Names()
	for i := range names {
		names[i] = url.PathEscape(names[i])
	}
	return c.send(func(b []byte) []byte {
		b = sam.AppendResult(sam.AppendCommand(b, sam.KindAuthStatus), nil)
		return append(sam.AppendOption(b, "USERS", strings.Join(names, " ")), '\n')
	})
}
