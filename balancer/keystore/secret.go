package keystore

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime"
	"syscall"

	"filippo.io/age"
)

const (
	// maxPassphrase is the longest passphrase, in bytes.
	maxPassphrase = 1024

	// workFactor is the base-2 logarithm of scrypt's cost, as the age command
	// has it: 1 s and 256 MiB. Files with a higher one are refused, for they
	// could take hours or all memory.
	workFactor = 18
)

// A Secret opens a sealed key file. It is read when it is made, since a
// descriptor can be read but once. Printed, logged or put in JSON it is only
// where it came from.
type Secret struct {
	kind   string // passphrase or identity
	source string
	// seal and open are what age needs. They are functions because fmt, with a
	// verb that does not fit, prints what a pointer points to.
	seal func() (age.Recipient, error)
	open func() (age.Identity, error)
	// logN is the work factor of new files.
	logN int
}

// The kinds of secrets, as errors call them.
const (
	passphraseKind = "passphrase"
	identityKind   = "identity"
)

// PassphraseFile reads a passphrase from a file, which only its owner may read
// (ErrPermissions). One newline at its end does not count.
func PassphraseFile(path string) (*Secret, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("passphrase: %w; name a file that holds it", err)
	}
	defer f.Close()
	return readPassphrase(f, path)
}

// PassphraseFD reads a passphrase from an open descriptor to its end, and closes
// it. A pipe needs no permissions; a file is held to those of PassphraseFile.
func PassphraseFD(fd int) (*Secret, error) {
	source := fmt.Sprintf("descriptor %d", fd)
	f := os.NewFile(uintptr(fd), source)
	if fd < 0 || f == nil {
		return nil, fmt.Errorf("passphrase from %s: %w: want 0 or more", source, ErrInvalid)
	}
	defer f.Close()
	s, err := readPassphrase(f, source)
	if errors.Is(err, syscall.EBADF) {
		return nil, fmt.Errorf("%w; open it for this program: %d< FILE", err, fd)
	}
	return s, err
}

// Passphrase is one that has been typed in. The caller may clear it afterwards.
func Passphrase(text []byte) (*Secret, error) {
	return newPassphrase(text, "a prompt")
}

func readPassphrase(f *os.File, source string) (*Secret, error) {
	b, err := readSecret(f, source, maxPassphrase+len("\r\n"))
	if err != nil {
		return nil, fmt.Errorf("passphrase: %w", err)
	}
	defer clear(b)
	return newPassphrase(trimNewline(b), source)
}

func trimNewline(b []byte) []byte {
	if line, ok := bytes.CutSuffix(b, []byte("\n")); ok {
		return bytes.TrimSuffix(line, []byte("\r"))
	}
	return b
}

func newPassphrase(text []byte, source string) (*Secret, error) {
	if len(text) == 0 || len(text) > maxPassphrase {
		return nil, fmt.Errorf("passphrase from %s has %d bytes: %w: want 1 to %d", source, len(text), ErrInvalid, maxPassphrase)
	}
	passphrase := string(text) // which age wants, and nothing can clear
	s := &Secret{kind: passphraseKind, source: source, logN: workFactor}
	s.seal = func() (age.Recipient, error) { return scryptRecipient(passphrase, s.logN) }
	s.open = func() (age.Identity, error) { return scryptIdentity(passphrase) }
	return s, nil
}

func scryptRecipient(passphrase string, logN int) (age.Recipient, error) {
	r, err := age.NewScryptRecipient(passphrase)
	if err != nil {
		return nil, err
	}
	r.SetWorkFactor(logN)
	return r, nil
}

func scryptIdentity(passphrase string) (age.Identity, error) {
	i, err := age.NewScryptIdentity(passphrase)
	if err != nil {
		return nil, err
	}
	i.SetMaxWorkFactor(workFactor)
	return i, nil
}

func readSecret(f *os.File, source string, limit int) ([]byte, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if err := checkMode(info, source); err != nil {
		return nil, err
	}
	b, err := io.ReadAll(io.LimitReader(f, int64(limit)+1))
	if err != nil {
		return nil, err
	}
	if len(b) > limit {
		clear(b)
		return nil, fmt.Errorf("%s has over %d bytes: %w", source, limit, ErrInvalid)
	}
	return b, nil
}

// checkMode is about files only: a pipe is between its ends. Windows' modes say
// nothing.
func checkMode(info fs.FileInfo, source string) error {
	mode := info.Mode()
	if mode.IsRegular() && mode.Perm()&0o077 != 0 && runtime.GOOS != "windows" {
		return fmt.Errorf("%s has mode %04o: %w; run: chmod 600 %[1]s", source, mode.Perm(), ErrPermissions)
	}
	return nil
}

// String is where the secret came from.
func (s Secret) String() string { return s.kind + " from " + s.source }

// GoString keeps the secret out of %#v.
func (s Secret) GoString() string { return "keystore.Secret{" + s.String() + "}" }

// MarshalText keeps the secret out of JSON and of structured logs.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }
