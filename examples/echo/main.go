// Command echo is the smallest program on the framework: a service of its own
// that answers datagrams with their text in capitals.
//
// It runs as it stands, against one or more frontends of a Destination:
//
//	go run ./examples/echo echo.dat 127.0.0.1:7656 127.0.0.1:7657
//
// The first argument is the Destination's key file, the others are the SAM
// addresses of its frontends.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"

	"github.com/onelease/onelease/backend"
	"github.com/onelease/onelease/i2p"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "echo:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) < 2 {
		return errors.New("usage: echo KEYFILE FRONTEND [FRONTEND ...]")
	}
	keys, err := i2p.ReadKeyFile(args[0])
	if err != nil {
		return err
	}
	cfg := backend.Config{Destination: keys.Destination, Signer: keys}
	for _, addr := range args[1:] {
		cfg.Frontends = append(cfg.Frontends, backend.Frontend{Addr: addr})
	}
	host, err := backend.NewHost(cfg)
	if err != nil {
		return err
	}
	fmt.Println("send datagrams to", keys.Destination.Base32())
	return backend.Run(ctx, host, backend.ServiceFunc(shout))
}

// shout is the service. The framework does the rest: which frontend a remote
// is answered by, and what becomes of it when that one goes.
func shout(ctx context.Context, node backend.Node) error {
	conn, err := node.ListenPacket(backend.Datagram, 0)
	if err != nil {
		return err
	}
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	buffer := make([]byte, 32<<10)
	for {
		n, from, err := conn.ReadFrom(buffer)
		if err != nil {
			return err // after ctx has ended, this is no error to Run
		}
		if _, err := conn.WriteTo(bytes.ToUpper(buffer[:n]), from); err != nil {
			node.Logger().Debug("answer not sent", "error", err)
		}
	}
}
