// Command embed-http is a web site with all that it needs in one process: a
// handler, and a Destination on several routers.
//
// It runs as it stands, on an I2P network inside the program, where another
// Destination fetches its page:
//
//	go run ./examples/embed-http
//	go run ./examples/embed-http --serve        # and goes on until Ctrl-C
//
// and on real routers, by the addresses of their I2CP:
//
//	go run ./examples/embed-http --dir site-state --member 127.0.0.1:7654 --member 127.0.0.1:7664 --publisher 127.0.0.1:7674
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/signal"

	"github.com/onelease/onelease"
	"github.com/onelease/onelease/backend"
	"github.com/onelease/onelease/frontend"
	"github.com/onelease/onelease/test/embedded"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "embed-http:", err)
		os.Exit(1)
	}
}

// page is the whole site.
func page(w http.ResponseWriter, r *http.Request) {
	fmt.Fprintf(w, "This is one Destination on several routers.\nYou are %s.\n", backend.RemoteOf(r.Context()).Hash.Base32())
}

func run(ctx context.Context, args []string, out io.Writer) error {
	var config onelease.Config
	flags := flag.NewFlagSet("embed-http", flag.ContinueOnError)
	flags.StringVar(&config.Dir, "dir", "", "keep the Destination's keys and state there; with real routers only")
	serve := flags.Bool("serve", false, "go on until Ctrl-C after the page was fetched")
	flags.Func("member", "host:port of the I2CP of a router that serves; again for each", func(addr string) error {
		return addRouter(&config, onelease.Router{Addr: addr, Member: true})
	})
	flags.Func("publisher", "host:port of one that publishes", func(addr string) error {
		return addRouter(&config, onelease.Router{Addr: addr, Publisher: true, DontPublish: frontend.Auto})
	})
	if err := flags.Parse(args); err != nil {
		return err
	}
	config.Service = backend.HTTP(80, http.HandlerFunc(page))
	if len(config.Routers) == 0 {
		return onEmbedded(ctx, config, *serve, out)
	}
	return onelease.Run(ctx, config)
}

func addRouter(config *onelease.Config, r onelease.Router) error {
	r.Name = fmt.Sprintf("router-%d", len(config.Routers)+1)
	config.Routers = append(config.Routers, r)
	return nil
}

// onEmbedded runs the site on a network of its own, and shows what a remote there
// gets of it. It is the service that tells the address: by then it is known.
func onEmbedded(ctx context.Context, config onelease.Config, serve bool, out io.Writer) error {
	network := embedded.Start(embedded.Config{})
	defer network.Close()
	config.Routers = network.Routers()
	config.Logger = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	ctx, end := context.WithCancel(ctx)
	defer end()
	visit := backend.ServiceFunc(func(ctx context.Context, node backend.Node) error {
		if err := fetch(ctx, network.Remote(), node.Destination().Base32(), out); err != nil {
			return err
		}
		if !serve {
			end()
		}
		return nil
	})
	config.Service = backend.Services(config.Service, visit)
	return onelease.Run(ctx, config)
}

// fetch prints the page as remote gets it.
func fetch(ctx context.Context, remote *embedded.Remote, b32 string, out io.Writer) error {
	fmt.Fprintf(out, "GET http://%s/\n\n", b32)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+b32+"/", nil)
	if err != nil {
		return err
	}
	client := remote.Client()
	defer client.CloseIdleConnections()
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	_, err = io.Copy(out, response.Body)
	return err
}
