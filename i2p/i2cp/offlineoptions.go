package i2cp

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/onelease/onelease/i2p"
)

// The options of a session whose Destination is offline-signed ("Session Config",
// Offline Signatures).
const (
	optionOfflineExpires   = "i2cp.leaseSetOfflineExpiration"
	optionTransientKey     = "i2cp.leaseSetTransientPublicKey"
	optionOfflineSignature = "i2cp.leaseSetOfflineSignature"
)

// OfflineOptions say in a session's configuration that a transient key signs it,
// none if o is nil. Java I2P goes by them; i2pd knows of no such configuration and
// refuses it, whatever the version.
func OfflineOptions(o *i2p.OfflineSignature) i2p.Mapping {
	if o == nil {
		return nil
	}
	return i2p.Mapping{
		optionOfflineExpires:   strconv.FormatInt(o.Expires.Unix(), 10),
		optionTransientKey:     fmt.Sprintf("%d:%s", o.Key.Type, i2p.Base64.EncodeToString(o.Key.Key)),
		optionOfflineSignature: i2p.Base64.EncodeToString(o.Signature),
	}
}

// parseOffline reads what OfflineOptions made, nil if options have none of it.
func parseOffline(options i2p.Mapping) (*i2p.OfflineSignature, error) {
	transient, ok := options[optionTransientKey]
	if !ok {
		return nil, nil
	}
	sigType, key, typed := strings.Cut(transient, ":")
	if !typed {
		sigType, key = "0", transient // DSA
	}
	number, errType := strconv.ParseUint(sigType, 10, 16)
	expires, errExpires := strconv.ParseUint(options[optionOfflineExpires], 10, 32)
	public, errKey := i2p.Base64.DecodeString(key)
	signature, errSignature := i2p.Base64.DecodeString(options[optionOfflineSignature])
	for _, err := range []error{errType, errExpires, errKey, errSignature} {
		if err != nil {
			return nil, fmt.Errorf("options of an offline signature: %w: %w", err, i2p.ErrInvalid)
		}
	}
	o := &i2p.OfflineSignature{
		Expires: time.Unix(int64(expires), 0), Signature: signature,
		Key: i2p.SigningPublicKey{Type: i2p.SigType(number), Key: public},
	}
	if !o.Key.Type.Known() || len(public) != o.Key.Type.PublicSize() {
		return nil, fmt.Errorf("options of an offline signature: %v key of %d bytes: %w", o.Key.Type, len(public), i2p.ErrInvalid)
	}
	return o, nil
}

// signer is the key that c is to be signed with, and the permission for it if it is
// not the Destination's own.
func (c *SessionConfig) signer() (i2p.SigningPublicKey, *i2p.OfflineSignature, error) {
	offline, err := parseOffline(c.Options)
	if offline != nil {
		return offline.Key, offline, err
	}
	return c.Destination.SigningKey(), nil, err
}
