package i2p

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime"

	"github.com/onelease/onelease/internal/wholefile"
)

// ErrPermissions says that a key file is open to others than its owner.
var ErrPermissions = errors.New("others may read it")

// A KeyFormat is a way to store Keys in a file.
type KeyFormat int

const (
	// KeyBinary is i2pd's .dat and Java I2P's eepPriv.dat: Keys.Bytes.
	KeyBinary KeyFormat = iota
	// KeyBase64 is SAM's PRIV, Keys.Base64, and a newline.
	KeyBase64
)

// maxKeyFile is more than any key file has, in bytes: 4.6 KB of binary for the
// largest known key types, in base64.
const maxKeyFile = 16 << 10

// String is "dat" or "base64".
func (f KeyFormat) String() string {
	if f == KeyBase64 {
		return "base64"
	}
	return "dat"
}

// ReadKeyFile reads a key file of either format. It does not look at the
// file's permissions; see CheckKeyFile.
func ReadKeyFile(path string) (*Keys, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read key file: %w", err)
	}
	defer f.Close()
	k, _, err := ReadKeys(f)
	if err != nil {
		return nil, fmt.Errorf("key file %s: %w", path, err)
	}
	return k, nil
}

// ReadKeys reads a key file's content to its end, and says which format it has.
func ReadKeys(r io.Reader) (*Keys, KeyFormat, error) {
	b, err := io.ReadAll(io.LimitReader(r, maxKeyFile+1))
	defer clear(b)
	if err != nil {
		return nil, 0, fmt.Errorf("read keys: %w", err)
	}
	if len(b) > maxKeyFile {
		return nil, 0, fmt.Errorf("over %d bytes, too many for a key file: %w", maxKeyFile, ErrInvalid)
	}
	format, parse := KeyBinary, ParseKeys
	if text := bytes.TrimSpace(b); isBase64(text) {
		format, parse = KeyBase64, func([]byte) (*Keys, error) { return ParseKeysBase64(string(text)) }
	}
	k, err := parse(b)
	if err != nil {
		return nil, 0, fmt.Errorf("%w (want a private key file of i2pd or Java I2P, or the PRIV of SAM's DEST GENERATE)", err)
	}
	return k, format, nil
}

// isBase64 reports whether b can be I2P's base64; no binary key file can, since
// its certificate has zeros.
func isBase64(b []byte) bool {
	for _, c := range b {
		alphanumeric := c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z'
		if !alphanumeric && !bytes.ContainsRune([]byte("-~=\r\n"), rune(c)) {
			return false
		}
	}
	return len(b) > 0
}

// CheckKeyFile returns ErrPermissions if the group or others may read, write or
// use the file at path, for the caller to warn or to refuse. On Windows, where
// the mode says nothing, it does not.
func CheckKeyFile(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("check key file: %w", err)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 && runtime.GOOS != "windows" {
		return fmt.Errorf("key file %s has mode %04o: %w; run: chmod 600 %[1]s", path, mode, ErrPermissions)
	}
	return nil
}

// WriteKeyFile writes k to path with mode 0600: whole or not at all, and never
// over a file that is there (fs.ErrExist), since that may hold the only copy of
// a Destination's key.
func WriteKeyFile(path string, k *Keys, format KeyFormat) error {
	err := writeKeyFile(wholefile.New, path, k, format)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("write key file %s: %w; give another name, or move that file away first", path, fs.ErrExist)
	}
	return err
}

// ReplaceKeyFile is WriteKeyFile in the place of the file that is there, at once: for
// new transient keys, whose loss loses no Destination.
func ReplaceKeyFile(path string, k *Keys, format KeyFormat) error {
	if k.Offline == nil {
		return fmt.Errorf("write key file %s: it would replace a Destination's own key: %w", path, ErrInvalid)
	}
	return writeKeyFile(wholefile.Replace, path, k, format)
}

func writeKeyFile(write func(string, []byte, fs.FileMode) error, path string, k *Keys, format KeyFormat) error {
	if _, err := ParseKeys(k.Bytes()); err != nil {
		return fmt.Errorf("write key file %s: %w", path, err)
	}
	content := k.Encode(format)
	defer clear(content)
	if err := write(path, content, 0o600); err != nil {
		return fmt.Errorf("write key file: %w", err)
	}
	return nil
}

// Encode is the content of a key file. It is secret.
func (k *Keys) Encode(format KeyFormat) []byte {
	if format == KeyBase64 {
		return []byte(k.Base64() + "\n")
	}
	return k.Bytes()
}
