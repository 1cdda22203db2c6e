package cluster

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"slices"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"

	"github.com/onelease/onelease/balancer/cluster/clusterpb"
	"github.com/onelease/onelease/balancer/controlpb"
	"github.com/onelease/onelease/internal/pki"
)

// caller is whom the connection's certificate names.
func caller(ctx context.Context) (pki.Identity, *x509.Certificate, bool) {
	p, ok := peer.FromContext(ctx)
	if !ok {
		return pki.Identity{}, nil, false
	}
	info, ok := p.AuthInfo.(credentials.TLSInfo)
	if !ok {
		return pki.Identity{}, nil, false
	}
	id, ok := pki.PeerIdentity(info.State)
	if !ok {
		return id, nil, false
	}
	return id, info.State.PeerCertificates[0], true
}

// authorize is balancer.Config.Authorize: everybody acts for themselves only.
func authorize(ctx context.Context, role, name string) error {
	id, _, ok := caller(ctx)
	if !ok || string(id.Role) != role || id.Name != name {
		return fmt.Errorf("the certificate is of %s %q, which may not act as %s %.80q", id.Role, id.Name, role, name)
	}
	return nil
}

var (
	parts    = []pki.Role{pki.Balancer, pki.Frontend, pki.Backend, pki.Operator}
	everyone = append([]pki.Role{pki.Guest}, parts...)
	operator = []pki.Role{pki.Operator}
)

// rights are who may call which method, besides Join. What is not listed, such
// as methods that are yet to come, is for operators. A balancer's certificate, whose key
// is not sealed, is for votes, and gives no commands (Client.Commander); nor is it renewed
// but by the balancer itself. It may unlock: who does has the Destination's keys.
var rights = map[string][]pki.Role{
	clusterpb.Cluster_Renew_FullMethodName:     {pki.Frontend, pki.Backend, pki.Guest, pki.Operator},
	clusterpb.Cluster_Members_FullMethodName:   everyone,
	clusterpb.Cluster_Enter_FullMethodName:     {pki.Balancer},
	clusterpb.Cluster_Unlock_FullMethodName:    {pki.Operator, pki.Balancer},
	controlpb.Control_Attach_FullMethodName:    {pki.Frontend},
	controlpb.Control_Delegate_FullMethodName:  {pki.Backend},
	controlpb.Control_GetStatus_FullMethodName: parts,
}

// forNewcomers is what a balancer may call that is not a member yet.
var forNewcomers = map[string]bool{
	clusterpb.Cluster_Enter_FullMethodName:   true,
	clusterpb.Cluster_Members_FullMethodName: true, // to find the leader
}

// guard says why the caller may not call the method. Join looks itself.
func (n *Node) guard(ctx context.Context, method string) error {
	if method == clusterpb.Cluster_Join_FullMethodName {
		return nil
	}
	id, cert, ok := caller(ctx)
	if !ok {
		return status.Error(codes.Unauthenticated, "a certificate of the cluster is wanted: join it first")
	}
	roles, listed := rights[method]
	if !listed {
		roles = operator
	}
	if !slices.Contains(roles, id.Role) {
		return status.Errorf(codes.PermissionDenied, "the certificate is of %s %q: this is for %v only%s", id.Role, id.Name, roles, instead(id.Role))
	}
	if err := n.refuses(cert); err != nil {
		return status.Error(codes.PermissionDenied, err.Error())
	}
	if id.Role == pki.Balancer && !forNewcomers[method] && !n.isMember(id.Name) {
		return status.Errorf(codes.PermissionDenied, "balancer %q is not a member of the cluster: start it, and wait until it is", id.Name)
	}
	return nil
}

// instead says what to do about a refusal.
func instead(role pki.Role) string {
	if role == pki.Balancer {
		return ": give commands beside the balancer that runs, by the program of its version, or with an operator's directory"
	}
	return ""
}

func (n *Node) guardUnary(ctx context.Context, req any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
	if err := n.guard(ctx, info.FullMethod); err != nil {
		return nil, err
	}
	return handler(ctx, req)
}

func (n *Node) guardStream(srv any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
	if err := n.guard(stream.Context(), info.FullMethod); err != nil {
		return err
	}
	return handler(srv, stream)
}

// authorizePeer wants a balancer that speaks raft to be whom its certificate
// says, and who comes in to be a member.
func (n *Node) authorizePeer(conn net.Conn, id string) error {
	secure, ok := conn.(interface{ ConnectionState() tls.ConnectionState })
	if !ok {
		return fmt.Errorf("connection of type %T", conn)
	}
	peer, ok := pki.PeerIdentity(secure.ConnectionState())
	if !ok || peer.Role != pki.Balancer || peer.Name != id {
		return fmt.Errorf("the certificate is of %v, not of balancer %q", peer, id)
	}
	if _, in := conn.(*trackedConn); !in {
		return nil // the leader looks at a newcomer before it is a member
	}
	return n.admitPeer(id, secure.ConnectionState().PeerCertificates[0])
}

// admitPeer refuses raft to who is not a member. A balancer that hears no leader
// may have been away while others became members, and could never learn of
// them if it refused them; then raft's own rules must do, by which who is not a
// member gets no vote.
func (n *Node) admitPeer(id string, cert *x509.Certificate) error {
	select {
	case <-n.opened:
	case <-n.ctx.Done():
		return net.ErrClosed
	}
	if err := n.refuses(cert); err != nil {
		return err
	}
	if n.isFormed() && !n.isMember(id) && n.store.Leader().ID != "" {
		return fmt.Errorf("balancer %q is not a member of the cluster: %s", id, "remove its directory and join again with a new invitation")
	}
	return nil
}
