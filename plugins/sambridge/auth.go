package sambridge

import (
	"strconv"
	"sync"
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
	wait, ok := c.b.failures.admit(c.source, time.Now())
	if !ok {
		c.b.stats.wrongPasswords.Add(1)
		return sam.Refusef(sam.ResultI2PError, "too many wrong passwords from your address; wait a minute")
	}
	select {
	case <-time.After(wait):
	case <-c.b.ctx.Done():
		return errQuit
	}
	c.b.checking <- struct{}{}
	admin, err := c.b.cfg.Users.check(name, password)
	<-c.b.checking
	if err != nil {
		c.b.stats.wrongPasswords.Add(1)
		c.b.failures.add(c.source, time.Now())
		return sam.Refusef(sam.ResultI2PError, "Authorization failed")
	}
	c.user, c.admin = name, admin
	return nil
}

// maxChecks is how many passwords are checked at a time: they cost a processor a
// tenth of a second each.
const maxChecks = 2

// failures are wrong passwords by source. The n-th in a row is followed by 100 ms * 2^n,
// at most 10 s, in which the source's next try waits.
type failures struct {
	mu       sync.Mutex
	bySource map[string]failure
}

type failure struct {
	count int
	next  time.Time // no try of the source before
}

const (
	failureDelay   = 100 * time.Millisecond
	maxDelay       = 10 * time.Second
	maxDoublings   = 7
	failureMemory  = 10 * time.Minute
	maxFailures    = 4096
	maxPatience    = 30 * time.Second
	failuresIgnore = 2 // somebody mistypes
)

func (f *failure) delay() time.Duration {
	if f.count <= failuresIgnore {
		return 0
	}
	return min(failureDelay<<min(f.count-failuresIgnore, maxDoublings), maxDelay)
}

// admit says how long a try has to wait; not ok, that there are too many that do.
func (f *failures) admit(source string, now time.Time) (wait time.Duration, ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	of, found := f.bySource[source]
	if !found || now.Sub(of.next) > failureMemory {
		delete(f.bySource, source)
		return 0, true
	}
	wait = max(0, of.next.Sub(now))
	if wait > maxPatience {
		return 0, false
	}
	of.next = now.Add(wait + of.delay())
	f.bySource[source] = of
	return wait, true
}

// add notes a wrong password.
func (f *failures) add(source string, now time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.bySource == nil {
		f.bySource = map[string]failure{}
	}
	if len(f.bySource) >= maxFailures {
		f.forgetLocked(now)
	}
	of := f.bySource[source]
	of.count++
	if earliest := now.Add(of.delay()); of.next.Before(earliest) {
		of.next = earliest
	}
	f.bySource[source] = of
}

// forgetLocked makes room: of those that are over, or else of any one.
func (f *failures) forgetLocked(now time.Time) {
	var some string
	for source, of := range f.bySource {
		some = source
		if now.Sub(of.next) > failureMemory {
			delete(f.bySource, source)
		}
	}
	if len(f.bySource) >= maxFailures {
		delete(f.bySource, some)
	}
}

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

// listUsers says who there is. The specification has no form for it: a line USERS="a b" in
// which names are quoted where they must be.
func (c *conn) listUsers() error {
	names := c.b.cfg.Users.Names()
	return c.send(func(b []byte) []byte {
		b = sam.AppendResult(sam.AppendCommand(b, sam.KindAuthStatus), nil)
		for i, name := range names {
			key := "USER"
			if i > 0 {
				key += "_" + strconv.Itoa(i)
			}
			b = sam.AppendOption(b, key, name)
		}
		return append(b, '\n')
	})
}
