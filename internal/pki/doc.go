// Package pki is the cluster's own certificate authority, the identities in its
// certificates, and mutual TLS between the parts. It opens no sockets, knows no
// command line, and keeps no list of members: who may do what is for the
// services to decide, from PeerIdentity.
//
// The first balancer makes the CA and issues itself a certificate:
//
//	ca, err := pki.NewCA(pki.NewCluster())
//	err = ca.SaveSealed(dir, seal)
//	key, err := pki.NewKey()
//	id := pki.Identity{Cluster: ca.Cluster(), Role: pki.Balancer, Name: "b1"}
//	cert, err := ca.Issue(id, key.Public(), pki.DefaultLife, time.Now())
//	node, err := pki.NewCredentials(key, cert, ca.CertPEM())
//	err = node.Save(dir)
//
// Each part then runs with what is in its directory:
//
//	files, err := pki.NewReloader(dir)
//	server := grpc.NewServer(grpc.Creds(credentials.NewTLS(pki.ServerTLS(files))))
//
// # Identities
//
// A peer is who its certificate says, {cluster, role, name} in one URI, not
// where it can be reached: addresses change, and host names are not ours. So
// crypto/tls's own verification, which is about host names, is switched off,
// and each connection is verified by VerifyConnection against the CA, the
// cluster, the role, and the name if one is expected. That runs on resumed
// sessions too.
//
// # Joining
//
// A node joins with a Token, which carries a secret and pins the CA's public
// key. The newcomer reaches a balancer with JoinTLS, which is sure of the
// server by that pin alone, proves with the secret that the CSR is its own, and has it
// signed. The replicated state needs only the secret's digest. The secret follows from
// the CA's key, so a token cannot be made by who can only write to that state.
//
// # Files
//
// ca.crt and ca.key.sealed are the CA, whose key only 32 secret bytes open (Seal); older
// ones have ca.key, which is open. node.crt, node.key and ca.crt are a node. All
// are PEM; the keys have mode 0600, and are refused if others may read them.
// ca.crt may hold several certificates, for the time in which a CA is replaced.
package pki
