package pki

import (
	"fmt"
	"path/filepath"
)

// Save writes ca.crt and ca.key to dir: both or none, and not over other ones
// (fs.ErrExist).
func (ca *CA) Save(dir string) error {
	key, err := encodeKey(ca.key())
	if err != nil {
		return fmt.Errorf("save CA: %w", err)
	}
	defer clear(key)
	err = saveNew(dir, file{caKeyFile, secretMode, key}, file{caCertFile, publicMode, ca.CertPEM()})
	if err != nil {
		return fmt.Errorf("save CA: %w", err)
	}
	return nil
}

// LoadCA reads what Save writes. The errors are ErrInvalid, ErrPermissions and
// those of the file system.
func LoadCA(dir string) (*CA, error) {
	cert, err := readSmall(filepath.Join(dir, caCertFile))
	if err != nil {
		return nil, fmt.Errorf("load CA: %w", err)
	}
	key, err := readSecret(filepath.Join(dir, caKeyFile))
	if err != nil {
		return nil, fmt.Errorf("load CA: %w", err)
	}
	defer clear(key)
	ca, err := newCA(cert, key)
	if err != nil {
		return nil, fmt.Errorf("load CA: %s and %s in %s: %w; restore both from one backup", caCertFile, caKeyFile, dir, err)
	}
	return ca, nil
}
