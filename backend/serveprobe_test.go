package backend

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"strings"
	"syscall"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/sam"
	"github.com/onelease/onelease/i2p/streaming"
)

// testServices are what the test binary can be as a plugin.
var testServices = map[string]func() Service{
	"probe": func() Service { return &probe{} },
	"plain": func() Service { return ServiceFunc(func(context.Context, Node) error { return nil }) },
}

// A probe does what streams to its port ask for, and tells what came of it.
type probe struct {
	Port     uint16   `toml:"port" comment:"I2P port"`
	Greeting string   `toml:"greeting" comment:"sent first"`
	MaxAge   Duration `toml:"max-age"`
	node     Node
}

func (p *probe) SetDefaults() {
	if p.Port == 0 {
		p.Port = 80
	}
}

func (p *probe) Check() error {
	if p.Greeting == "bad" {
		return errors.New(`probe: setting greeting: "bad" is rude`)
	}
	return nil
}

func (p *probe) Serve(ctx context.Context, node Node) error {
	s := *p
	s.SetDefaults()
	s.node = node
	ln, err := node.Listen(s.Port)
	if err != nil {
		return err
	}
	end := make(chan error)
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go s.obey(c, end)
		}
	}()
	select {
	case <-ctx.Done():
		if s.Greeting == "stubborn" {
			select {}
		}
		return errors.New("told to end")
	case err := <-end:
		return err
	}
}

func (p *probe) obey(c net.Conn, end chan<- error) {
	defer c.Close()
	in := bufio.NewReader(c)
	line, err := in.ReadString('\n')
	if err != nil {
		return
	}
	fmt.Fprint(c, p.Greeting)
	command, arg, _ := strings.Cut(strings.TrimSpace(line), " ")
	switch command {
	case "echo":
		io.Copy(c, in)
		c.(interface{ CloseWrite() error }).CloseWrite()
	case "addrs":
		fmt.Fprint(c, c.LocalAddr(), " ", c.RemoteAddr(), " ", p.node.Destination().Base32())
	case "dial":
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		to, err := p.node.DialContext(ctx, "tcp", arg)
		if err != nil {
			fmt.Fprint(c, tell(err))
			return
		}
		io.Copy(to, in)
		to.Close()
	case "lookup":
		dest, err := p.node.Lookup(context.Background(), arg)
		fmt.Fprint(c, dest.Base32(), tell(err))
	case "listen":
		_, err := p.node.Listen(7)
		fmt.Fprint(c, tell(err))
	case "read":
		_, err := io.Copy(io.Discard, in)
		p.node.Logger().Warn("read", "error", tell(err), "n", 7)
	case "packets":
		conn, err := p.node.ListenPacket(Datagram, 7)
		if err != nil {
			fmt.Fprint(c, tell(err))
			return
		}
		echoAll(conn)
	case "print":
		fmt.Println("on stdout", arg)
		fmt.Fprintln(os.Stderr, "on stderr", arg)
		p.node.Logger().Debug("not to be seen")
		slog.Info("by slog")
	case "panic":
		go panic("a bug") // in a goroutine that closes nothing on its way out
		select {}
	case "end":
		var err error
		if arg != "" {
			err = errors.New(arg)
		}
		end <- err
	}
}

// echoAll answers datagrams; an empty one is answered by its error.
func echoAll(conn net.PacketConn) {
	buffer := make([]byte, 2000)
	for {
		n, from, err := conn.ReadFrom(buffer)
		if err != nil {
			return
		}
		if _, err = conn.WriteTo(buffer[:n], from); err != nil {
			conn.WriteTo([]byte(tell(err)), i2p.NewAddr(from.(*Addr).Destination, 1))
		}
		if string(buffer[:n]) == "big" {
			_, err = conn.WriteTo(make([]byte, 32<<10-391), from)
			conn.WriteTo([]byte(tell(err)), from)
		}
		if string(buffer[:n]) == "close" {
			conn.Close()
		}
	}
}

// tell names what an error is for errors.Is.
func tell(err error) string {
	text := ""
	for name, target := range map[string]error{
		"refused": streaming.ErrRefused, "ECONNREFUSED": syscall.ECONNREFUSED, "reset": streaming.ErrReset, "timeout": streaming.ErrTimeout,
		"in use": ErrPortInUse, "no frontend": ErrNoFrontend, "no signer": ErrNoSigner, "not found": sam.ResultKeyNotFound,
		"too large": ErrTooLarge, "closed": net.ErrClosed, "EOF": io.EOF, "config": ErrConfig,
	} {
		if errors.Is(err, target) {
			text += "[" + name + "]"
		}
	}
	if err != nil {
		text += " " + err.Error()
	}
	return text
}
