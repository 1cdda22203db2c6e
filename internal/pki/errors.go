package pki

import "errors"

// Errors of what was given: identities, tokens, files. Other input cures them.
var (
	// ErrInvalid: malformed, or parts that do not belong together.
	ErrInvalid = errors.New("invalid")
	// ErrPermissions: others than its owner may read a key file.
	ErrPermissions = errors.New("others may read it")
	// ErrChanged: the files that were read again are those of another node.
	ErrChanged = errors.New("another node's certificate")
)

// Errors of certificates. A handshake returns them on the side that refuses;
// the other side sees only a TLS alert.
var (
	// ErrNoCertificate: the peer presented none, and must.
	ErrNoCertificate = errors.New("no certificate")
	// ErrNoIdentity: not exactly one URI, or one that is no identity.
	ErrNoIdentity = errors.New("no identity in the certificate")
	// ErrUntrusted: not signed by the cluster's CA, or not for this use.
	ErrUntrusted = errors.New("not from this cluster's CA")
	// ErrExpired: its time, or its CA's, is over.
	ErrExpired = errors.New("expired")
	// ErrNotYetValid: its time has not come; a clock is wrong.
	ErrNotYetValid = errors.New("not valid yet")
	// ErrCluster: of another cluster.
	ErrCluster = errors.New("of another cluster")
	// ErrRole: its role is not the one wanted.
	ErrRole = errors.New("wrong role")
	// ErrName: its name is not the one wanted.
	ErrName = errors.New("wrong name")
)

// renew is the cure for a certificate whose time is over.
const renew = "renew with a new token: \"onelease cluster invite\" on a balancer, and \"onelease cluster join\" here with a new directory"
