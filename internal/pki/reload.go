package pki

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// A Reloader holds a node's credentials while their files are renewed: each new
// connection uses those of the last successful Reload, and those that are open
// go on. It may be used by many goroutines.
type Reloader struct {
	dir     string
	current atomic.Pointer[Credentials]
	reading sync.Mutex // one Reload at a time, so that the last to start wins
}

// NewReloader reads the files in dir. The errors are those of Load and of Check.
func NewReloader(dir string) (*Reloader, error) {
	c, err := loadGood(dir)
	if err != nil {
		return nil, err
	}
	r := &Reloader{dir: dir}
	r.current.Store(c)
	return r, nil
}

// Static is a Reloader without files, whose Reload does nothing: for parts that
// run in one process.
func Static(c *Credentials) *Reloader {
	r := &Reloader{}
	r.current.Store(c)
	return r
}

// Credentials are those in use.
func (r *Reloader) Credentials() *Credentials { return r.current.Load() }

// Reload reads the files again. If they cannot be used, or are those of another
// node or cluster (ErrChanged), the old ones stay in use.
func (r *Reloader) Reload() error {
	if r.dir == "" {
		return nil
	}
	r.reading.Lock()
	defer r.reading.Unlock()
	old := r.Credentials()
	c, err := loadGood(r.dir)
	if err == nil && c.identity != old.identity {
		err = fmt.Errorf("%s in %s is that of %v: %w; put that of %v back", nodeCertFile, r.dir, c.identity, ErrChanged, old.identity)
	}
	if err != nil {
		return fmt.Errorf("the certificate until %s stays in use: %w", date(old.Expires()), err)
	}
	r.current.Store(c)
	return nil
}

func loadGood(dir string) (*Credentials, error) {
	c, err := Load(dir)
	if err != nil {
		return nil, err
	}
	if err := c.Check(time.Now()); err != nil {
		return nil, fmt.Errorf("%s in %s: %w", nodeCertFile, dir, err)
	}
	return c, nil
}
