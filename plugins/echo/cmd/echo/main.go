// Command echo runs the echo service behind one or more frontends:
//
//	echo --keys echo.dat --frontend 127.0.0.1:7656 --frontend 10.0.0.2:7656 --port 7
//
// The key file is that of the Destination that the frontends serve.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/onelease/onelease/backend"
	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/plugins/echo"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "echo:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	var frontends []backend.Frontend
	flags := flag.NewFlagSet("echo", flag.ExitOnError)
	flags.Func("frontend", "SAM `address` of a frontend; may be repeated", func(addr string) error {
		frontends = append(frontends, backend.Frontend{Addr: addr})
		return nil
	})
	keyFile := flags.String("keys", "", "key `file` of the Destination")
	port := flags.Uint("port", 0, "I2P `port` to serve; 0 is any")
	flags.Parse(args)
	if *keyFile == "" || len(frontends) == 0 || *port > 0xffff {
		return fmt.Errorf("want --keys FILE, --frontend HOST:PORT at least once, and a port of at most 65535")
	}
	keys, err := i2p.ReadKeyFile(*keyFile)
	if err != nil {
		return err
	}
	host, err := backend.NewHost(backend.Config{
		Frontends:   frontends,
		Destination: keys.Destination,
		Signer:      keys,
		Offline:     keys.Offline,
	})
	if err != nil {
		return err
	}
	fmt.Println("echo serves", keys.Destination.Base32())
	return backend.Run(ctx, host, echo.Service{Port: uint16(*port)})
}
