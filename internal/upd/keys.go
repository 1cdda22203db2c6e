package upd

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/onelease/onelease"
	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/internal/nodedir"
)

// checkDir refuses a directory that is another node's.
func (c *Config) checkDir() error {
	if info, err := nodedir.Read(c.Dir); err == nil {
		return fmt.Errorf("%w: --dir %s is that of %s %s of a cluster: give another, which may be new", ErrConfig, c.Dir, info.Role, info.Name)
	}
	return nil
}

// makeDir makes the directory once all else is well: who has mistyped a flag finds no empty one.
func (c *Config) makeDir() error {
	if err := os.MkdirAll(c.Dir, 0o700); err != nil {
		return fmt.Errorf("make the directory of --dir: %w", err)
	}
	return nil
}

// KeptKeys is where keys are that nobody has given.
func (c *Config) KeptKeys() string { return filepath.Join(c.Dir, onelease.KeysFile) }

// keys reads those that --keys names. Without one they are nil: those in the directory are
// meant, and fresh says that there are none yet.
func (c *Config) keys() (keys *i2p.Keys, fresh bool, err error) {
	if c.Keys == "" {
		_, err := os.Stat(c.KeptKeys())
		return nil, errors.Is(err, fs.ErrNotExist), nil
	}
	if keys, err = i2p.ReadKeyFile(c.Keys); err == nil {
		err = i2p.CheckKeyFile(c.Keys)
	}
	if err != nil {
		return nil, false, err
	}
	own, err := i2p.ReadKeyFile(c.KeptKeys())
	if err == nil && own.Destination.Hash() != keys.Destination.Hash() {
		return nil, false, fmt.Errorf("--dir %s keeps the keys of another Destination, %s: give another one, or leave --keys out", c.Dir, own.Destination.Base32())
	}
	return keys, false, nil
}
