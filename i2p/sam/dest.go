package sam

import "github.com/onelease/onelease/i2p"

// MakeKeys makes the keys that a line asks for with SIGNATURE_TYPE, a name or a
// number: Ed25519 ones if that is empty, where the specification has DSA_SHA1,
// which is weak. See i2p.GenerateKeysOf for the types that take long.
func MakeKeys(signatureType string) (*i2p.Keys, error) {
	if signatureType == "" {
		return i2p.GenerateKeys()
	}
	kind, err := i2p.ParseSigType(signatureType)
	if err != nil {
		return nil, Refusef(ResultI2PError, "SIGNATURE_TYPE=%.40s: there is no such type here; use 7 (Ed25519)", signatureType)
	}
	return i2p.GenerateKeysOf(kind)
}

// AppendDestReply appends the answer to a DEST GENERATE.
func AppendDestReply(b []byte, keys *i2p.Keys, err error) []byte {
	if err != nil {
		return AppendReply(b, KindDestReply, err)
	}
	b = AppendOption(AppendCommand(b, KindDestReply), "PUB", keys.Destination.Base64())
	return append(AppendOption(b, "PRIV", keys.Base64()), '\n')
}
