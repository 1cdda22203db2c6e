package onelease

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/onelease/onelease/i2p"
)

// KeysFile is what a Node without Config.Keys keeps them in, in Config.Dir: a key file as
// i2p.ReadKeyFile reads it.
const KeysFile = "destination.dat"

// ErrKeysLost says that Config.Dir has the state of a Destination and not its keys, and that
// none were given. It is an ErrConfig.
var ErrKeysLost = fmt.Errorf("%w: the state of a Destination is there, and not its keys", ErrConfig)

// keptKeys are those in dir. They are made if there are none and dir is fresh. If it
// has the state of a Destination, whose keys were given before, or are lost, a new
// one would be another address, which nobody knows.
func keptKeys(dir string, fresh bool) (*i2p.Keys, error) {
	path := filepath.Join(dir, KeysFile)
	keys, err := i2p.ReadKeyFile(path)
	switch {
	case err == nil:
		return keys, i2p.CheckKeyFile(path)
	case !errors.Is(err, fs.ErrNotExist):
		return nil, err
	case !fresh:
		return nil, fmt.Errorf("%w: %s has no %s: set Keys, put the file back, or use another Dir for a new Destination", ErrKeysLost, dir, KeysFile)
	}
	if keys, err = i2p.GenerateKeys(); err != nil {
		return nil, err
	}
	return keys, i2p.WriteKeyFile(path, keys, i2p.KeyBinary)
}
