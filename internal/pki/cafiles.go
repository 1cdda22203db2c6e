package pki

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/onelease/onelease/internal/wholefile"
)

// SaveSealed writes ca.crt and ca.key.sealed to dir: both or none, and not over other
// ones (fs.ErrExist).
func (ca *CA) SaveSealed(dir string, s Seal) error {
	key, err := ca.sealed(s)
	if err == nil {
		err = saveNew(dir, file{caSealedFile, secretMode, key}, file{caCertFile, publicMode, ca.CertPEM()})
	}
	if err != nil {
		return fmt.Errorf("save CA: %w", err)
	}
	return nil
}

// SaveAuthority writes to dir what another balancer's MarshalSealed returned. One of an
// earlier version sends the key open: then that is written, as ca.key, and SealFiles
// seals it. The errors are ErrInvalid, fs.ErrExist and those of the file system.
func SaveAuthority(dir string, b []byte) error {
	cert, key, ok := cutCerts(b)
	if !ok {
		return fmt.Errorf("save CA: want a %s and a %s in PEM: %w", pemCert, pemSealed, ErrInvalid)
	}
	name := caSealedFile
	if _, err := sealedBlock(key); err != nil {
		if _, err := newCA(cert, key); err != nil {
			return fmt.Errorf("save CA: %w", err)
		}
		name = caKeyFile
	}
	if err := saveNew(dir, file{name, secretMode, key}, file{caCertFile, publicMode, cert}); err != nil {
		return fmt.Errorf("save CA: %w", err)
	}
	return nil
}

// LoadSealed reads what SaveSealed writes. The errors are ErrInvalid, ErrSealed,
// ErrPermissions and those of the file system.
func LoadSealed(dir string, s Seal) (*CA, error) {
	cert, err := readSmall(filepath.Join(dir, caCertFile))
	if err != nil {
		return nil, fmt.Errorf("load CA: %w", err)
	}
	key, err := readSecret(filepath.Join(dir, caSealedFile))
	if err != nil {
		return nil, fmt.Errorf("load CA: %w", err)
	}
	ca, err := openSealed(cert, key, s)
	if err != nil {
		return nil, fmt.Errorf("load CA: %s and %s in %s: %w; restore both from one backup, or take another balancer's", caCertFile, caSealedFile, dir, err)
	}
	return ca, nil
}

// HasSealed reports whether dir has a CA's sealed key.
func HasSealed(dir string) bool { return isThere(filepath.Join(dir, caSealedFile)) }

// HasOpen reports whether dir has a CA's key that is not sealed, as earlier versions
// wrote it.
func HasOpen(dir string) bool { return isThere(filepath.Join(dir, caKeyFile)) }

func isThere(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// LoadOpen reads a CA of an earlier version, ca.crt and ca.key. The errors are
// ErrInvalid, ErrPermissions and those of the file system.
func LoadOpen(dir string) (*CA, error) {
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

// SealFiles seals the open key in dir, that of ca, and removes ca.key when the sealed one
// is on the disk and was opened from there. A crash leaves ca.key, or both: then what is
// left is done the next time. A sealed key that is there is never replaced.
func (ca *CA) SealFiles(dir string, s Seal) error {
	if !HasSealed(dir) {
		key, err := ca.sealed(s)
		if err == nil {
			err = writeNew(filepath.Join(dir, caSealedFile), file{caSealedFile, secretMode, key})
		}
		if err != nil {
			return fmt.Errorf("seal the CA's key: %w", err)
		}
	}
	again, err := LoadSealed(dir, s)
	if err == nil && !again.key().Equal(ca.key()) {
		err = fmt.Errorf("%s has another key than %s: move the one away that is not the cluster's: %w", caSealedFile, caKeyFile, ErrInvalid)
	}
	if err != nil {
		return fmt.Errorf("seal the CA's key: read it again: %w", err)
	}
	err = wholefile.Remove(filepath.Join(dir, caKeyFile))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("the CA's key is sealed, and the open one could not be removed: %w", err)
	}
	return nil
}
