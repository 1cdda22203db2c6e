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

// ReadKeyFile reads a key file of either format. It does not look at the
// file's permissions; see CheckKeyFile.
func ReadKeyFile(path string) (*Keys, error) {
	b, err := readSmall(path)
	if err != nil {
		return nil, fmt.Errorf("read key file: %w", err)
	}
	defer clear(b)
	parse := ParseKeys
	if text := bytes.TrimSpace(b); isBase64(text) {
		parse = func([]byte) (*Keys, error) { return ParseKeysBase64(string(text)) }
	}
	k, err := parse(b)
	if err != nil {
		return nil, fmt.Errorf("key file %s: %w (want a private key file of i2pd or Java I2P, or the PRIV of SAM's DEST GENERATE)", path, err)
	}
	return k, nil
}

func readSmall(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxKeyFile+1))
	if err == nil && len(b) > maxKeyFile {
		err = fmt.Errorf("%s has over %d bytes, too many for a key file: %w", path, maxKeyFile, ErrInvalid)
	}
	return b, err
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
	if _, err := ParseKeys(k.Bytes()); err != nil {
		return fmt.Errorf("write key file %s: %w", path, err)
	}
	content := k.Bytes()
	if format == KeyBase64 {
		content = []byte(k.Base64() + "\n")
	}
	defer clear(content)
	err := wholefile.New(path, content, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("write key file %s: %w; give another name, or move that file away first", path, fs.ErrExist)
	}
	if err != nil {
		return fmt.Errorf("write key file: %w", err)
	}
	return nil
}
