package keystore

import (
	"bytes"
	"fmt"
	"os"

	"filippo.io/age"
)

// maxIdentity is more than any identity file has, in bytes.
const maxIdentity = 16 << 10

// IdentityFile reads an age identity, as age-keygen writes it, from a file that
// only its owner may read (ErrPermissions). There must be exactly one in it.
func IdentityFile(path string) (*Secret, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("identity: %w; make one with age-keygen", err)
	}
	defer f.Close()
	b, err := readSecret(f, path, maxIdentity)
	if err != nil {
		return nil, fmt.Errorf("identity: %w", err)
	}
	defer clear(b)
	identity, recipient, err := parseIdentity(b)
	if err != nil {
		return nil, fmt.Errorf("identity %s: %w", path, err)
	}
	return &Secret{
		kind: identityKind, source: path,
		seal: func() (age.Recipient, error) { return recipient, nil },
		open: func() (age.Identity, error) { return identity, nil },
	}, nil
}

// parseIdentity keeps age's own errors to itself, as they may quote the file.
func parseIdentity(b []byte) (age.Identity, age.Recipient, error) {
	all, err := age.ParseIdentities(bytes.NewReader(b))
	if err != nil || len(all) != 1 {
		return nil, nil, fmt.Errorf("%w: want one line AGE-SECRET-KEY-1..., as age-keygen writes it", ErrInvalid)
	}
	switch i := all[0].(type) {
	case *age.X25519Identity:
		return i, i.Recipient(), nil
	case *age.HybridIdentity:
		return i, i.Recipient(), nil
	}
	return nil, nil, fmt.Errorf("%w: an identity of a kind that this program does not know", ErrInvalid)
}
