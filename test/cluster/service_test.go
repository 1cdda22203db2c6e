package cluster_test

import (
	"context"

	"golang.org/x/sync/errgroup"

	"github.com/onelease/onelease/backend"
	"github.com/onelease/onelease/plugins/echo"
	"github.com/onelease/onelease/test/streamservice"
)

// Ports of the service.
const (
	echoPort   = 7
	streamPort = 80
)

// A service echoes datagrams, and what comes on streams.
type service struct{}

// Serve implements backend.Service.
func (service) Serve(ctx context.Context, node backend.Node) error {
	ln, err := node.Listen(streamPort)
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	defer context.AfterFunc(ctx, func() { ln.Close() })()
	group.Go(func() error {
		return echo.Service{Port: echoPort, Kinds: []backend.Kind{backend.Datagram2}}.Serve(ctx, node)
	})
	group.Go(func() error { return streamservice.NewServer().Serve(ln) })
	return group.Wait()
}

var _ backend.Service = service{}
