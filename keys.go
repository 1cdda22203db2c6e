package onelease

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/onelease/onelease/i2p"
)

// keysFile is what a Node without Config.Keys keeps them in: a key file as
// i2p.ReadKeyFile reads it.
const keysFile = "destination.dat"

// keptKeys are those in dir. They are made if there are none and dir is fresh. If it
// has the state of a Destination, whose keys were given before, or are lost, a new
// one would be another address, which nobody knows.
func keptKeys(dir string, fresh bool) (*i2p.Keys, error) {
	path := filepath.Join(dir, keysFile)
	keys, err := i2p.ReadKeyFile(path)
	switch {
	case err == nil:
		return keys, i2p.CheckKeyFile(path)
	case !errors.Is(err, fs.ErrNotExist):
		return nil, err
	case !fresh:
		return nil, fmt.Errorf("%w: %s has the state of a Destination, and no %s with its keys: set Keys, put the file back, or use another Dir for a new Destination", ErrConfig, dir, keysFile)
	}
	if keys, err = i2p.GenerateKeys(); err != nil {
		return nil, err
	}
	return keys, i2p.WriteKeyFile(path, keys, i2p.KeyBinary)
}
