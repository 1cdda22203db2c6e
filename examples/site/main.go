// Command site serves the files of a directory over HTTP, on several routers at
// once.
//
// It runs as it stands, against one or more frontends of a Destination:
//
//	go run ./examples/site site.dat ./public 127.0.0.1:7656 127.0.0.1:7657
//
// The first argument is the Destination's key file, the second the directory, the
// others are the SAM addresses of its frontends. With a cluster of balancers the
// first is the directory that "onelease cluster join" has made for a backend, and
// the program has no key of the Destination.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"

	"github.com/onelease/onelease"
	"github.com/onelease/onelease/backend"
	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/plugins/site"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "site:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) < 3 {
		return errors.New("usage: site KEYFILE|CLUSTERDIR DIRECTORY FRONTEND [FRONTEND ...]")
	}
	service := &site.Service{Root: args[1]}
	if err := service.Check(); err != nil {
		return err // before there is a network
	}
	if info, err := os.Stat(args[0]); err == nil && info.IsDir() {
		return inCluster(ctx, args[0], args[2:], service)
	}
	keys, err := i2p.ReadKeyFile(args[0])
	if err != nil {
		return err
	}
	cfg := backend.Config{Destination: keys.Destination, Signer: keys, Offline: keys.Offline}
	for _, addr := range args[2:] {
		cfg.Frontends = append(cfg.Frontends, backend.Frontend{Addr: addr})
	}
	host, err := backend.NewHost(cfg)
	if err != nil {
		return err
	}
	fmt.Printf("the site is http://%s/\n", keys.Destination.Base32())
	return backend.Run(ctx, host, service)
}

// inCluster runs the service as a backend of a cluster, until ctx ends.
func inCluster(ctx context.Context, dir string, frontends []string, service backend.Service) error {
	node, err := onelease.Start(onelease.Config{
		Cluster: &onelease.Cluster{Dir: dir}, Frontends: frontends, Service: service,
	})
	if err != nil {
		return err
	}
	select {
	case <-ctx.Done():
	case <-node.Done():
	}
	return node.Close()
}
