package pki

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Errors of ParseToken: what went wrong on the way here. Each is an ErrInvalid.
var (
	// ErrTokenPrefix: not a token at all, or one of another version.
	ErrTokenPrefix = fmt.Errorf("not a join token: %w", ErrInvalid)
	// ErrTokenTruncated: its end is missing.
	ErrTokenTruncated = fmt.Errorf("the end of the join token is missing: %w", ErrInvalid)
	// ErrTokenChecksum: characters are wrong, or there are too many.
	ErrTokenChecksum = fmt.Errorf("the join token was changed on its way: %w", ErrInvalid)
)

const (
	tokenPrefix  = "onelease-join-v1."
	tokenFamily  = "onelease-join-"
	headSize     = 2 // bytes that give the length of the body
	checksumSize = 4
	// maxToken is more characters than any token has.
	maxToken = 8 << 10
)

// tokenText is base64url (RFC 4648, section 5) without padding: a double click
// selects all of it, and no shell needs quotes around it.
var tokenText = base64.RawURLEncoding

// Text is the token as it is given to the node's operator. It is secret.
//
// After the prefix, in base64url: the length of the body (2 bytes, big endian),
// the body, and the first four bytes of the SHA-256 of prefix, length and body.
// The body: secret (32), CA (32), cluster (16), expiry (8, Unix seconds); then,
// each after a byte with its length, invite, role, name; the number of
// addresses (1), and each address after a byte with its length.
func (t *Token) Text() string {
	body := t.appendBody(nil)
	b := binary.BigEndian.AppendUint16(nil, uint16(len(body)))
	b = append(b, body...)
	b = append(b, checksum(b)...)
	return tokenPrefix + tokenText.EncodeToString(b)
}

func (t *Token) appendBody(b []byte) []byte {
	cluster, _ := hex.DecodeString(t.Node.Cluster)
	b = slices.Concat(b, t.Secret(), t.CA[:], cluster)
	b = binary.BigEndian.AppendUint64(b, uint64(t.Expires.Unix()))
	for _, s := range []string{t.Invite, string(t.Node.Role), t.Node.Name} {
		b = appendShort(b, s)
	}
	b = append(b, byte(len(t.Balancers)))
	for _, address := range t.Balancers {
		b = appendShort(b, address)
	}
	return b
}

func appendShort(b []byte, s string) []byte { return append(append(b, byte(len(s))), s...) }

func checksum(b []byte) []byte {
	sum := sha256.Sum256(append([]byte(tokenPrefix), b...))
	return sum[:checksumSize]
}

// ParseToken reads a token's Text; white space in and around it does no harm.
// The errors, ErrTokenPrefix, ErrTokenTruncated and ErrTokenChecksum, tell what
// was copied badly; a token that is whole may still be wrong for the cluster. No
// error has any of the text in it.
func ParseToken(text string) (*Token, error) {
	text = strings.Join(strings.Fields(text[:min(len(text), 2*maxToken)]), "")
	encoded, ok := strings.CutPrefix(text, tokenPrefix)
	if !ok {
		return nil, prefixError(text)
	}
	body, err := tokenBody(encoded)
	if err != nil {
		return nil, err
	}
	t := &Token{}
	r := &tokenReader{b: body}
	r.token(t)
	if r.short || len(r.b) > 0 {
		return nil, fmt.Errorf("join token: its fields do not fill it: %w", ErrInvalid)
	}
	if err := t.validate(); err != nil {
		return nil, fmt.Errorf("join token: %w", err)
	}
	return t, nil
}

func prefixError(text string) error {
	if strings.HasPrefix(text, tokenFamily) {
		return fmt.Errorf("%w; it is of another version than %s; make the token with this version, or upgrade this program", ErrTokenPrefix, tokenPrefix)
	}
	return fmt.Errorf("%w; it begins with %s; copy all of it", ErrTokenPrefix, tokenPrefix)
}

// tokenBody undoes the base64 and checks length and checksum.
func tokenBody(encoded string) ([]byte, error) {
	if len(encoded) > maxToken {
		return nil, fmt.Errorf("%w: over %d characters; copy it again", ErrTokenChecksum, maxToken)
	}
	whole := encoded
	if len(whole)%4 == 1 { // no base64 has that length: cut within a byte
		whole = whole[:len(whole)-1]
	}
	b, err := tokenText.DecodeString(whole)
	if err != nil {
		return nil, fmt.Errorf("%w: it has a character that no token has; copy it again", ErrTokenChecksum)
	}
	if len(b) < headSize {
		return nil, fmt.Errorf("%w; copy all of it", ErrTokenTruncated)
	}
	size := headSize + int(binary.BigEndian.Uint16(b)) + checksumSize
	length := tokenText.EncodedLen(size)
	switch end := size - checksumSize; {
	case len(encoded) < length:
		return nil, fmt.Errorf("%w: %d characters of %d; copy all of it", ErrTokenTruncated, len(encoded), length)
	case len(encoded) > length:
		return nil, fmt.Errorf("%w: %d characters, want %d; copy it again", ErrTokenChecksum, len(encoded), length)
	case !bytes.Equal(b[end:], checksum(b[:end])), tokenText.EncodeToString(b) != encoded:
		return nil, fmt.Errorf("%w: a character is wrong; copy it again", ErrTokenChecksum)
	default:
		return b[headSize:end], nil
	}
}

// tokenReader takes fields off b. Once b has been too short, all are empty.
type tokenReader struct {
	b     []byte
	short bool
}

func (r *tokenReader) token(t *Token) {
	var secret [secretSize]byte
	copy(secret[:], r.next(secretSize))
	t.secret = hide(secret)
	copy(t.CA[:], r.next(len(t.CA)))
	t.Node.Cluster = hex.EncodeToString(r.next(clusterSize))
	if b := r.next(8); b != nil {
		t.Expires = time.Unix(int64(binary.BigEndian.Uint64(b)), 0).UTC()
	}
	t.Invite, t.Node.Role, t.Node.Name = r.text(), Role(r.text()), r.text()
	for n := r.byte(); n > 0 && !r.short; n-- {
		t.Balancers = append(t.Balancers, r.text())
	}
}

func (r *tokenReader) next(n int) []byte {
	if r.short = r.short || len(r.b) < n; r.short {
		return nil
	}
	field := r.b[:n]
	r.b = r.b[n:]
	return field
}

func (r *tokenReader) byte() byte {
	if b := r.next(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *tokenReader) text() string { return string(r.next(int(r.byte()))) }
