package keystore

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"

	"filippo.io/age"

	"github.com/onelease/onelease/i2p"
)

// maxSealed is more than any sealed key file has, in bytes: 4.6 KB of the
// largest known key types, and age's header.
const maxSealed = 16 << 10

// seal encrypts the keys.
func seal(keys *i2p.Keys, s *Secret) ([]byte, error) {
	plain := keys.Bytes()
	defer clear(plain)
	if _, err := i2p.ParseKeys(plain); err != nil {
		return nil, fmt.Errorf("the keys cannot be used: %w: %w", ErrInvalid, err)
	}
	recipient, err := s.seal()
	if err != nil {
		return nil, err
	}
	var sealed bytes.Buffer
	w, err := age.Encrypt(&sealed, recipient)
	if err != nil {
		return nil, err
	}
	_, err = w.Write(plain)
	if err = errors.Join(err, w.Close()); err != nil {
		return nil, err
	}
	return sealed.Bytes(), nil
}

// unseal is the other way round. Its errors are ErrWrongSecret and ErrDamaged.
func unseal(sealed []byte, s *Secret) (*i2p.Keys, error) {
	if err := checkSealed(sealed); err != nil {
		return nil, err
	}
	identity, err := s.open()
	if err != nil {
		return nil, err
	}
	r, err := age.Decrypt(bytes.NewReader(sealed), identity)
	if err != nil {
		return nil, openError(err, s)
	}
	plain, err := io.ReadAll(r)
	defer clear(plain)
	if err != nil {
		return nil, damaged(err)
	}
	keys, err := i2p.ParseKeys(plain)
	if err != nil {
		return nil, fmt.Errorf("%w: what is sealed in it is not a Destination's keys: %w", ErrDamaged, err)
	}
	return keys, nil
}

// openError tells a wrong secret from a damaged file as far as can be: a change
// in the few bytes that the secret opens looks like a wrong secret.
func openError(err error, s *Secret) error {
	var mismatch *age.NoIdentityMatchError
	if !errors.As(err, &mismatch) {
		return damaged(err)
	}
	if other := sealedWith(mismatch.StanzaTypes); other != s.kind {
		return fmt.Errorf("%w: it takes a %s, not the %v", ErrWrongSecret, other, s)
	}
	return fmt.Errorf("%w: the %v does not open it: it is the one given at \"onelease cluster init\" (a damaged file looks the same; then take another balancer's)",
		ErrWrongSecret, s)
}

func damaged(err error) error {
	return fmt.Errorf("%w: %w; restore it from a backup, or take another balancer's", ErrDamaged, err)
}

// sealedWith is the kind of Secret that a file with those stanzas takes.
func sealedWith(stanzas []string) string {
	if slices.Contains(stanzas, "scrypt") {
		return passphraseKind
	}
	return identityKind
}

// checkSealed tells an age file from anything else, without the secret. It keeps
// age's own error to itself, as that quotes the file, which may be a passphrase
// or a key that is not sealed.
func checkSealed(sealed []byte) error {
	if len(sealed) > maxSealed {
		return fmt.Errorf("%w: over %d bytes", ErrDamaged, maxSealed)
	}
	if _, err := age.ExtractHeader(bytes.NewReader(sealed)); err != nil {
		return fmt.Errorf("%w: not an age file; want what \"onelease cluster init\" has made", ErrDamaged)
	}
	return nil
}
