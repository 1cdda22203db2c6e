package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"

	"github.com/onelease/onelease/test/embedded"
)

// A caller is one remote in the room, as its user sees it.
type caller struct {
	conn  net.Conn
	lines *bufio.Reader
}

// call comes in, and returns what the room says to that.
func call(ctx context.Context, remote *embedded.Remote, address string) (*caller, string, error) {
	conn, err := remote.DialContext(ctx, "i2p", address)
	if err != nil {
		return nil, "", err
	}
	c := &caller{conn, bufio.NewReader(conn)}
	greeting, err := c.hear()
	return c, greeting, err
}

func (c *caller) say(line string) error {
	_, err := io.WriteString(c.conn, line+"\n")
	return err
}

func (c *caller) hear() (string, error) { return c.lines.ReadString('\n') }

// show has three remotes come in one after the other, and the last say something,
// and prints what the first hears.
func show(ctx context.Context, network *embedded.Network, address string, out io.Writer) error {
	var callers []*caller
	for range 3 {
		c, greeting, err := call(ctx, network.Remote(), address)
		if err != nil {
			return err
		}
		defer c.conn.Close()
		fmt.Fprint(out, greeting)
		callers = append(callers, c)
	}
	if err := callers[2].say("hello from the third"); err != nil {
		return err
	}
	for range 3 { // two have come, and one says hello
		line, err := callers[0].hear()
		if err != nil {
			return err
		}
		fmt.Fprint(out, "  guest-1 hears: ", line)
	}
	return nil
}
