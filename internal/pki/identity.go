package pki

import (
	"crypto/rand"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// A Role is what a certificate's owner does in the cluster.
type Role string

// The roles. A Guest has Destinations of its own on the routers of the cluster's frontends,
// and nothing to do with the cluster's. Operator is a person's, for the command line.
const (
	Balancer Role = "balancer"
	Frontend Role = "frontend"
	Backend  Role = "backend"
	Guest    Role = "guest"
	Operator Role = "operator"
)

// Valid reports whether r is one of the roles.
func (r Role) Valid() bool {
	return slices.Contains([]Role{Balancer, Frontend, Backend, Guest, Operator}, r)
}

const (
	// MaxNameLength is the longest name of a node, in bytes.
	MaxNameLength = 64

	clusterSize = 16 // bytes of a cluster's ID before hex
	scheme      = "onelease"
)

// An Identity is who a certificate's owner is. In a certificate it is the only
// URI: onelease://<cluster>/<role>/<name>.
type Identity struct {
	// Cluster is the cluster's ID: 32 hex digits, lower case.
	Cluster string
	Role    Role
	// Name is 1 to 64 characters of a-z 0-9 . - _
	Name string
}

// NewCluster returns a random ID for a new cluster.
func NewCluster() string {
	var id [clusterSize]byte
	rand.Read(id[:])
	return hex.EncodeToString(id[:])
}

// ParseIdentity reads what String writes, and nothing else; the error is
// ErrInvalid.
func ParseIdentity(uri string) (Identity, error) {
	rest, ok := strings.CutPrefix(uri, scheme+"://")
	parts := strings.Split(rest, "/")
	if !ok || len(parts) != 3 {
		return Identity{}, fmt.Errorf("identity %.120q: want %s://CLUSTER/ROLE/NAME: %w", uri, scheme, ErrInvalid)
	}
	id := Identity{Cluster: parts[0], Role: Role(parts[1]), Name: parts[2]}
	if err := id.Validate(); err != nil {
		return Identity{}, err
	}
	return id, nil
}

// String is the identity's URI.
func (id Identity) String() string {
	return scheme + "://" + id.Cluster + "/" + string(id.Role) + "/" + id.Name
}

// Validate returns ErrInvalid, saying which part is wrong.
func (id Identity) Validate() error {
	if err := validCluster(id.Cluster); err != nil {
		return err
	}
	if !id.Role.Valid() {
		return fmt.Errorf("role %.80q: want balancer, frontend, backend, guest or operator: %w", id.Role, ErrInvalid)
	}
	return validName("name", id.Name)
}

func validCluster(id string) error {
	if len(id) != 2*clusterSize || strings.Trim(id, "0123456789abcdef") != "" {
		return fmt.Errorf("cluster ID %.80q: want %d hex digits in lower case: %w", id, 2*clusterSize, ErrInvalid)
	}
	return nil
}

func validName(of, name string) error {
	const alphabet = "abcdefghijklmnopqrstuvwxyz0123456789.-_"
	if name == "" || len(name) > MaxNameLength || strings.Trim(name, alphabet) != "" {
		return fmt.Errorf("%s %.80q: want 1 to %d characters of a-z 0-9 . - _: %w", of, name, MaxNameLength, ErrInvalid)
	}
	return nil
}

// IdentityOf returns who a certificate says that its owner is; whether that is
// true is for its chain to prove. The error is ErrNoIdentity.
func IdentityOf(cert *x509.Certificate) (Identity, error) {
	if n := len(cert.URIs); n != 1 {
		return Identity{}, fmt.Errorf("certificate %.80q has %d URIs, want 1: %w", cert.Subject.CommonName, n, ErrNoIdentity)
	}
	id, err := ParseIdentity(cert.URIs[0].String())
	if err != nil {
		return Identity{}, fmt.Errorf("certificate %.80q: %w: %w", cert.Subject.CommonName, ErrNoIdentity, err)
	}
	return id, nil
}

func (id Identity) url() *url.URL {
	return &url.URL{Scheme: scheme, Host: id.Cluster, Path: "/" + string(id.Role) + "/" + id.Name}
}
