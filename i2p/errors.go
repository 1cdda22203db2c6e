package i2p

import "errors"

// Errors that the decoders of this package wrap. A caller tells bad input
// (all of these) from its own mistakes with errors.Is.
var (
	// ErrTruncated says that the input ends before the structure does.
	ErrTruncated = errors.New("input ends too early")
	// ErrInvalid says that the input is whole but means nothing.
	ErrInvalid = errors.New("invalid")
	// ErrUnsupported says that the input is of a type that is known to exist
	// but that this package does not handle.
	ErrUnsupported = errors.New("unsupported")
	// ErrSignature says that a signature does not verify.
	ErrSignature = errors.New("signature does not verify")
)
