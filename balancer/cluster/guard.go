package cluster

import (
	"context"
	"fmt"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"

	"github.com/onelease/onelease/balancer/cluster/clusterpb"
	"github.com/onelease/onelease/internal/pki"
)

// caller is whom the connection's certificate names.
func caller(ctx context.Context) (pki.Identity, bool) {
	p, ok := peer.FromContext(ctx)
	if !ok {
		return pki.Identity{}, false
	}
	info, ok := p.AuthInfo.(credentials.TLSInfo)
	if !ok {
		return pki.Identity{}, false
	}
	return pki.PeerIdentity(info.State)
}

// authorize is balancer.Config.Authorize: everybody acts for themselves only.
func authorize(ctx context.Context, role, name string) error {
	id, ok := caller(ctx)
	if !ok || string(id.Role) != role || id.Name != name {
		return fmt.Errorf("the certificate is of %s %q, which may not act as %s %.80q", id.Role, id.Name, role, name)
	}
	return nil
}

// The methods of the cluster service that not only operators and balancers may
// call. Enter is for balancers, of whom it makes members.
var open = map[string]bool{
	clusterpb.Cluster_Join_FullMethodName:    true, // has an invitation
	clusterpb.Cluster_Renew_FullMethodName:   true,
	clusterpb.Cluster_Members_FullMethodName: true,
}

// guard says why the caller may not call the method.
func guard(ctx context.Context, method string) error {
	id, ok := caller(ctx)
	switch {
	case method == clusterpb.Cluster_Join_FullMethodName:
		return nil
	case !ok:
		return status.Error(codes.Unauthenticated, "a certificate of the cluster is wanted: join it first")
	case open[method] || !strings.HasPrefix(method, "/onelease.cluster."):
		return nil // the control service looks itself
	case id.Role == pki.Balancer, id.Role == pki.Operator && method != clusterpb.Cluster_Enter_FullMethodName:
		return nil
	}
	return status.Errorf(codes.PermissionDenied, "the certificate is of %s %q: this is for operators and balancers", id.Role, id.Name)
}

func guardUnary(ctx context.Context, req any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
	if err := guard(ctx, info.FullMethod); err != nil {
		return nil, err
	}
	return handler(ctx, req)
}

func guardStream(srv any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
	if err := guard(stream.Context(), info.FullMethod); err != nil {
		return err
	}
	return handler(srv, stream)
}
