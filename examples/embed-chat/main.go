// Command embed-chat is a room for talks in lines of text, over streams: what one
// says goes to all others.
//
// It runs as it stands, on an I2P network inside the program, where three remotes
// come in and talk:
//
//	go run ./examples/embed-chat
//
// and on real routers, by the addresses of their I2CP; then come in by what speaks
// SAM or has a client tunnel, to port 6667:
//
//	go run ./examples/embed-chat --dir chat-state --member 127.0.0.1:7654 --publisher 127.0.0.1:7664
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"

	"github.com/onelease/onelease"
	"github.com/onelease/onelease/backend"
	"github.com/onelease/onelease/frontend"
	"github.com/onelease/onelease/test/embedded"
)

// port is where the room is.
const port = 6667

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "embed-chat:", err)
		os.Exit(1)
	}
}

// newRoom is the service.
func newRoom() backend.Service {
	r := &room{visitors: map[*visitor]bool{}}
	return backend.Listener(port, r.serve)
}

func run(ctx context.Context, args []string, out io.Writer) error {
	var config onelease.Config
	flags := flag.NewFlagSet("embed-chat", flag.ContinueOnError)
	flags.StringVar(&config.Dir, "dir", "", "keep the Destination's keys and state there; with real routers only")
	flags.Func("member", "host:port of the I2CP of a router that serves; again for each", func(addr string) error {
		return addRouter(&config, onelease.Router{Addr: addr, Member: true})
	})
	flags.Func("publisher", "host:port of one that publishes", func(addr string) error {
		return addRouter(&config, onelease.Router{Addr: addr, Publisher: true, DontPublish: frontend.Auto})
	})
	if err := flags.Parse(args); err != nil {
		return err
	}
	config.Service = newRoom()
	if len(config.Routers) == 0 {
		return onEmbedded(ctx, config, out)
	}
	return onelease.Run(ctx, config)
}

func addRouter(config *onelease.Config, r onelease.Router) error {
	r.Name = fmt.Sprintf("router-%d", len(config.Routers)+1)
	config.Routers = append(config.Routers, r)
	return nil
}

// onEmbedded runs the room on a network of its own, and shows a talk in it.
func onEmbedded(ctx context.Context, config onelease.Config, out io.Writer) error {
	network := embedded.Start(embedded.Config{})
	defer network.Close()
	config.Routers = network.Routers()
	config.Logger = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	ctx, end := context.WithCancel(ctx)
	defer end()
	talk := backend.ServiceFunc(func(ctx context.Context, node backend.Node) error {
		defer end()
		return show(ctx, network, fmt.Sprintf("%s:%d", node.Destination().Base32(), port), out)
	})
	config.Service = backend.Services(config.Service, talk)
	return onelease.Run(ctx, config)
}
