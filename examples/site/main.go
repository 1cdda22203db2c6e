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
	"net/http"
	"os"
	"os/signal"
	"time"

	"github.com/onelease/onelease"
	"github.com/onelease/onelease/backend"
	"github.com/onelease/onelease/i2p"
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
	root, err := os.OpenRoot(args[1])
	if err != nil {
		return fmt.Errorf("directory of the site: %w", err)
	}
	defer root.Close()
	service := site{http.FileServerFS(root.FS())}
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
func inCluster(ctx context.Context, dir string, frontends []string, service site) error {
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

// site is a service that speaks HTTP on port 80, to which browsers connect, and
// on all others.
type site struct{ handler http.Handler }

// Serve implements backend.Service. When ctx ends, downloads that are under way
// have some seconds to end too.
func (s site) Serve(ctx context.Context, node backend.Node) error {
	ln, err := node.Listen(0)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: s.handler, ReadHeaderTimeout: time.Minute}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(ln) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	patience, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	err = server.Shutdown(patience)
	<-ended
	return err
}

var _ backend.Service = site{}
