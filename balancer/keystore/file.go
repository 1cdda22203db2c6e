package keystore

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/internal/wholefile"
)

// Create seals keys in a new file at path with mode 0600: whole or not at all,
// and never over a file that is there (fs.ErrExist).
func Create(path string, keys *i2p.Keys, s *Secret) error {
	sealed, err := seal(keys, s)
	if err != nil {
		return fmt.Errorf("create key file %s: %w", path, err)
	}
	return writeNew("create", path, sealed)
}

// Open returns the keys in the file at path. The errors are ErrWrongSecret,
// ErrDamaged and those of the file system. Who has the public half of an
// identity can make such a file: the caller compares the Destination.
func Open(path string, s *Secret) (*i2p.Keys, error) {
	sealed, err := readSealed(path)
	if err != nil {
		return nil, fmt.Errorf("open key file: %w", err)
	}
	keys, err := unseal(sealed, s)
	if err != nil {
		return nil, fmt.Errorf("open key file %s: %w", path, err)
	}
	return keys, nil
}

// ReadSealed returns the file at path as it is, for another balancer. It finds
// out whether that is an age file (ErrDamaged), but not whether it is whole.
func ReadSealed(path string) ([]byte, error) {
	sealed, err := readSealed(path)
	if err == nil {
		err = checkSealed(sealed)
	}
	if err != nil {
		return nil, fmt.Errorf("read key file %s: %w", path, err)
	}
	return sealed, nil
}

// WriteSealed writes what ReadSealed returned on another balancer, as Create
// does.
func WriteSealed(path string, sealed []byte) error {
	if err := checkSealed(sealed); err != nil {
		return fmt.Errorf("write key file %s: %w; ask another balancer", path, err)
	}
	return writeNew("write", path, sealed)
}

func readSealed(path string) ([]byte, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w; make one with \"onelease cluster init\", or join by \"onelease cluster join\", which brings it here; without one, unlock the balancer with \"onelease cluster unlock\"", err)
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxSealed+1))
	if err == nil && len(b) > maxSealed {
		err = fmt.Errorf("%s has over %d bytes: %w", path, maxSealed, ErrDamaged)
	}
	return b, err
}

func writeNew(doing, path string, content []byte) error {
	err := wholefile.New(path, content, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s key file %s: %w; it may be the only copy of a Destination's key: give another name, or move it away first",
			doing, path, fs.ErrExist)
	}
	if err != nil {
		return fmt.Errorf("%s key file: %w", doing, err)
	}
	return nil
}
