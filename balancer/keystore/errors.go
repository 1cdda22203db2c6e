package keystore

import "errors"

var (
	// ErrWrongSecret: the passphrase or identity does not open the file.
	ErrWrongSecret = errors.New("wrong secret")
	// ErrDamaged: the file was changed, cut, or is not one of ours.
	ErrDamaged = errors.New("damaged key file")
	// ErrInvalid: a secret or a key that cannot be used.
	ErrInvalid = errors.New("invalid")
	// ErrPermissions: others than its owner may read a secret.
	ErrPermissions = errors.New("others may read it")
	// ErrDestination: the keys of another Destination than this cluster's.
	ErrDestination = errors.New("keys of another Destination")
)
