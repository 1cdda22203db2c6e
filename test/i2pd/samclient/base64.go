package samclient

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
)

// i2pBase64 is base64 with I2P's two other characters (common structures, "Base 64").
var i2pBase64 = base64.NewEncoding("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-~")

// A Destination is 384 bytes of keys and padding, then a certificate: type 1, length 2
// (big endian), and so many bytes.
const (
	destinationKeys = 384
	destinationMin  = destinationKeys + 3
)

// HashOf returns the SHA-256 of a Destination given in I2P base64: its key in the netDB.
func HashOf(destination string) ([32]byte, error) {
	raw, err := decodeDestination(destination)
	if err != nil {
		return [32]byte{}, err
	}
	return sha256.Sum256(raw), nil
}

// destinationOf cuts the Destination out of a PRIV, which begins with it.
func destinationOf(privateKey string) (string, error) {
	raw, err := decodeDestination(privateKey)
	return i2pBase64.EncodeToString(raw), err
}

// decodeDestination decodes base64 and returns the Destination that it begins with. Errors
// do not quote it, for it may go on with private keys.
func decodeDestination(text string) ([]byte, error) {
	raw, err := i2pBase64.DecodeString(text)
	if err != nil {
		return nil, fmt.Errorf("%w: destination is not I2P base64", ErrProtocol)
	}
	if len(raw) < destinationMin {
		return nil, fmt.Errorf("%w: destination of %d bytes, want %d or more", ErrProtocol, len(raw), destinationMin)
	}
	size := destinationMin + int(binary.BigEndian.Uint16(raw[destinationKeys+1:]))
	if size > len(raw) {
		return nil, fmt.Errorf("%w: destination of %d bytes is cut off at %d", ErrProtocol, size, len(raw))
	}
	return raw[:size], nil
}
