package i2p

import (
	"fmt"
	"strconv"
	"strings"
)

// SigType is the type of a signing key ("Key Certificates", signing key types).
type SigType uint16

// The signing key types of the specification.
const (
	SigDSASHA1       SigType = 0
	SigECDSAP256     SigType = 1
	SigECDSAP384     SigType = 2
	SigECDSAP521     SigType = 3
	SigRSA2048       SigType = 4
	SigRSA3072       SigType = 5
	SigRSA4096       SigType = 6
	SigEd25519       SigType = 7
	SigEd25519ph     SigType = 8
	SigRedDSAEd25519 SigType = 11
)

type sigInfo struct {
	// name is the specification's, code the routers' name for it in settings
	// and SAM.
	name, code                string
	public, private, signSize int
}

var sigInfos = map[SigType]sigInfo{
	SigDSASHA1:       {"DSA-SHA1", "DSA_SHA1", 128, 20, 40},
	SigECDSAP256:     {"ECDSA-SHA256-P256", "ECDSA_SHA256_P256", 64, 32, 64},
	SigECDSAP384:     {"ECDSA-SHA384-P384", "ECDSA_SHA384_P384", 96, 48, 96},
	SigECDSAP521:     {"ECDSA-SHA512-P521", "ECDSA_SHA512_P521", 132, 66, 132},
	SigRSA2048:       {"RSA-SHA256-2048", "RSA_SHA256_2048", 256, 512, 256},
	SigRSA3072:       {"RSA-SHA384-3072", "RSA_SHA384_3072", 384, 768, 384},
	SigRSA4096:       {"RSA-SHA512-4096", "RSA_SHA512_4096", 512, 1024, 512},
	SigEd25519:       {"Ed25519", "EdDSA_SHA512_Ed25519", 32, 32, 64},
	SigEd25519ph:     {"Ed25519ph", "EdDSA_SHA512_Ed25519ph", 32, 32, 64},
	SigRedDSAEd25519: {"RedDSA-Ed25519", "RedDSA_SHA512_Ed25519", 32, 32, 64},
}

// sigAliases are short names that people write.
var sigAliases = map[string]SigType{
	"DSA": SigDSASHA1, "ED25519": SigEd25519, "ED25519PH": SigEd25519ph, "REDDSA": SigRedDSAEd25519,
}

// ParseSigType reads a SIGNATURE_TYPE of SAM, or a router's i2cp.destination.sigType:
// the number, as "7", or the name, as "EdDSA_SHA512_Ed25519" or for short
// "Ed25519", in any case. ErrUnsupported if there is no such type, or none that is
// Known.
func ParseSigType(s string) (SigType, error) {
	if n, err := strconv.ParseUint(s, 10, 16); err == nil {
		if t := SigType(n); t.Known() {
			return t, nil
		}
		return 0, SigType(n).unsupported()
	}
	for t, info := range sigInfos {
		if strings.EqualFold(s, info.code) {
			return t, nil
		}
	}
	if t, ok := sigAliases[strings.ToUpper(s)]; ok {
		return t, nil
	}
	return 0, fmt.Errorf("signature type %.40q: %w", s, ErrUnsupported)
}

// Code is the name of t that ParseSigType reads, as routers spell it; the number
// if t is not Known.
func (t SigType) Code() string {
	if info, ok := sigInfos[t]; ok {
		return info.code
	}
	return strconv.Itoa(int(t))
}

// Known reports whether t is one of the types above.
func (t SigType) Known() bool { _, ok := sigInfos[t]; return ok }

// unsupported is the error for a type that is not Known, as for GOST's 9 and 10
// and for ML-DSA's 12 to 20, which have numbers but only in proposals.
func (t SigType) unsupported() error {
	return fmt.Errorf("signature type %d: %w", t, ErrUnsupported)
}

// PublicSize is the size of a public key of t in bytes, 0 if t is not Known.
func (t SigType) PublicSize() int { return sigInfos[t].public }

// PrivateSize is the size of a private key of t in bytes, 0 if t is not Known.
func (t SigType) PrivateSize() int { return sigInfos[t].private }

// SignatureSize is the size of a signature of t in bytes, 0 if t is not Known.
func (t SigType) SignatureSize() int { return sigInfos[t].signSize }

// String is the specification's name of t.
func (t SigType) String() string {
	if info, ok := sigInfos[t]; ok {
		return info.name
	}
	return fmt.Sprintf("signature type %d", uint16(t))
}

// CryptoType is the type of an encryption key ("Key Certificates", crypto key types).
type CryptoType uint16

// The encryption key types of Destinations and LeaseSets.
const (
	CryptoElGamal CryptoType = 0
	CryptoP256    CryptoType = 1
	CryptoP384    CryptoType = 2
	CryptoP521    CryptoType = 3
	CryptoX25519  CryptoType = 4
)

var cryptoSizes = map[CryptoType][2]int{
	CryptoElGamal: {256, 256},
	CryptoP256:    {64, 32},
	CryptoP384:    {96, 48},
	CryptoP521:    {132, 66},
	CryptoX25519:  {32, 32},
}

// PublicSize is the size of a public key of t in bytes, 0 if t is not known.
func (t CryptoType) PublicSize() int { return cryptoSizes[t][0] }

// PrivateSize is the size of a private key of t in bytes, 0 if t is not known.
func (t CryptoType) PrivateSize() int { return cryptoSizes[t][1] }
