package doctor

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/i2cp"
)

const (
	// greetLimit is how long a router has for its date, tellLimit what else is there
	// for a word of its own protocol.
	greetLimit = 5 * time.Second
	tellLimit  = 3 * time.Second

	// ourVersion is what we say to a router: older ones of i2pd say the same back, which
	// shows if it is the version of no router that is alike in all else.
	ourVersion = "0.9.50"
)

// A greeting is how a router answers to GetDate.
type greeting struct {
	version string
	// ahead is how far its clock is ahead of ours.
	ahead time.Duration
}

// Errors of a connection that was made.
var (
	errSilent   = errors.New("it takes the connection and says nothing")
	errNoI2CP   = errors.New("it does not speak I2CP")
	errPassword = errors.New("it wants another user or password")
)

// A dialer connects to one address.
type dialer func(ctx context.Context) (net.Conn, error)

// greet asks an I2CP server for its date.
func greet(ctx context.Context, dial dialer, user, password string) (greeting, error) {
	ctx, cancel := context.WithTimeout(ctx, greetLimit)
	defer cancel()
	conn, err := dial(ctx)
	if err != nil {
		return greeting{}, err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	hello := i2cp.GetDate{Version: ourVersion}
	if user != "" {
		hello.Options = i2p.Mapping{"i2cp.username": user, "i2cp.password": password}
	}
	frame, err := hello.AppendFrame([]byte{i2cp.ProtocolByte})
	if err != nil {
		return greeting{}, fmt.Errorf("%w: %w", errPassword, err)
	}
	asked := time.Now()
	conn.Write(frame) // if it has hung up already, reading says so
	m, err := awaitDate(conn)
	if ctx.Err() != nil {
		return greeting{}, errSilent
	}
	return greeting{m.Version, m.Date.Sub(asked.Add(time.Since(asked) / 2))}, err
}

// awaitDate reads until the date comes.
func awaitDate(conn net.Conn) (i2cp.SetDate, error) {
	in := i2cp.NewFrameReader(conn)
	for {
		kind, body, err := in.Next()
		switch {
		case errors.Is(err, io.EOF):
			return i2cp.SetDate{}, fmt.Errorf("%w: it ends the connection", errNoI2CP)
		case err != nil:
			return i2cp.SetDate{}, fmt.Errorf("%w: %w", errNoI2CP, err)
		case kind == i2cp.TypeDisconnect:
			return i2cp.SetDate{}, refusal(body)
		case kind == i2cp.TypeSetDate:
			m, err := i2cp.ParseSetDate(body)
			if err != nil || m.Date.IsZero() {
				return m, fmt.Errorf("%w: it tells no date", errNoI2CP)
			}
			return m, nil
		}
	}
}

// refusal is a Disconnect in place of the date: Java I2P says "Authorization failed".
func refusal(body []byte) error {
	m, err := i2cp.ParseDisconnect(body)
	if err != nil {
		return fmt.Errorf("%w: %w", errNoI2CP, err)
	}
	if strings.Contains(strings.ToLower(m.Reason), "auth") {
		return fmt.Errorf("%w: it says %.80q", errPassword, m.Reason)
	}
	return fmt.Errorf("%w: it says %.80q", errNoI2CP, m.Reason)
}

// greetFault is the fault that an error of greet stands for, and what was found.
func greetFault(ctx context.Context, dial dialer, err error) (fault, found string) {
	found = err.Error()
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return "router-refused", found
	case errors.Is(err, errPassword):
		return "router-password", found
	case !errors.Is(err, errSilent) && !errors.Is(err, errNoI2CP):
		return "router-unreachable", found
	}
	if p := otherProtocol(ctx, dial); p.fault != "" {
		return p.fault, p.found
	}
	if errors.Is(err, errSilent) {
		return "router-silent", found
	}
	return "router-stranger", found
}

// A protocol is one of those that a router listens with besides: a word, and how its answer begins.
type protocol struct{ fault, found, say, begins string }

var otherProtocols = []protocol{
	{"router-sam", "a SAM bridge answers there", "HELLO VERSION\n", "HELLO REPLY"},
	{"router-http", "an HTTP server answers there", "GET / HTTP/1.0\r\n\r\n", "HTTP/"},
}

// otherProtocol finds out what else is spoken at an address, and is zero if it cannot.
func otherProtocol(ctx context.Context, dial dialer) protocol {
	heard := make([]bool, len(otherProtocols))
	var asked sync.WaitGroup
	for i, p := range otherProtocols {
		asked.Go(func() { heard[i] = answers(ctx, dial, p.say, p.begins) })
	}
	asked.Wait()
	for i, p := range otherProtocols {
		if heard[i] {
			return p
		}
	}
	return protocol{}
}

// answers reports whether the answer to a word begins so.
func answers(ctx context.Context, dial dialer, say, begins string) bool {
	ctx, cancel := context.WithTimeout(ctx, tellLimit)
	defer cancel()
	conn, err := dial(ctx)
	if err != nil {
		return false
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	io.WriteString(conn, say)
	got := make([]byte, len(begins))
	_, err = io.ReadFull(conn, got)
	return err == nil && bytes.EqualFold(got, []byte(begins))
}

// isPassword reports whether I2CP is spoken, but not to everybody.
func isPassword(err error) bool { return errors.Is(err, errPassword) }
