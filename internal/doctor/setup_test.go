package doctor

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"path/filepath"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/i2cp"
	"github.com/onelease/onelease/i2p/simnet"
	"github.com/onelease/onelease/internal/memconn"
)

// The addresses of a setup's routers.
const (
	addrA = "127.0.0.1:7654"
	addrB = "127.0.0.1:7664"
	addrC = "127.0.0.1:7674"
)

// A setup is one with nothing wrong, for a test to spoil: a key, two members and a
// publisher, on an embedded network.
type setup struct {
	t       *testing.T
	cfg     Config
	network *simnet.Network
	keys    *i2p.Keys
	dials   map[string]dialer
	// frontends are those that a leader knows, see led.
	frontends []Frontend
}

// inSetup runs the doctor on a setup, in a bubble, after spoil.
func inSetup(t *testing.T, spoil func(s *setup)) (report Report) {
	synctest.Test(t, func(t *testing.T) {
		s := newSetup(t)
		defer s.network.Close()
		spoil(s)
		report = Run(t.Context(), s.cfg)
	})
	return report
}

func newSetup(t *testing.T) *setup {
	s := &setup{t: t, dials: map[string]dialer{}}
	s.network = simnet.New(simnet.Config{Seed: 1, Logger: slog.New(slog.DiscardHandler)})
	s.router("a", addrA, simnet.I2PD245)
	s.router("b", addrB, simnet.I2PD245)
	s.router("c", addrC, simnet.JavaI2P)
	s.cfg = Config{
		Keys: []string{s.keyFile(nil)}, Quick: true,
		Routers: []Router{
			{Name: "a", Addr: addrA, Member: true}, {Name: "b", Addr: addrB, Member: true},
			{Name: "c", Addr: addrC, Publisher: true},
		},
		Space:     func(string) (Space, error) { return Space{Free: 1 << 40, Inodes: 1 << 20}, nil },
		Addresses: func() ([]string, error) { return nil, nil },
		Dial: func(ctx context.Context, addr string) (net.Conn, error) {
			if dial := s.dials[addr]; dial != nil {
				return dial(ctx)
			}
			return nil, &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}
		},
	}
	return s
}

func (s *setup) router(name, addr string, profile simnet.Profile) {
	s.dials[addr] = s.network.NewRouter(simnet.RouterConfig{Name: name, Profile: profile}).DialI2CP
}

// keyFile writes a key file of new keys, which change may alter.
func (s *setup) keyFile(change func(*i2p.Keys)) string {
	s.t.Helper()
	var err error
	if s.keys, err = i2p.GenerateKeys(); err != nil {
		s.t.Fatal(err)
	}
	if change != nil {
		change(s.keys)
	}
	path := filepath.Join(s.t.TempDir(), "site.dat")
	if err := i2p.WriteKeyFile(path, s.keys, i2p.KeyBinary); err != nil {
		s.t.Fatal(err)
	}
	return path
}

// A stub is an I2CP server that says what a test wants.
type stub struct {
	ahead   time.Duration     // of our clock
	session i2cp.SessionState // what becomes of each
	silent  bool              // nothing becomes of it
	refuses string            // a Disconnect in place of the date
}

func (b stub) dial(context.Context) (net.Conn, error) {
	client, server := memconn.Pair("stub")
	go b.serve(server)
	return client, nil
}

func (b stub) serve(conn net.Conn) {
	defer conn.Close()
	conn.Read(make([]byte, 1)) // the protocol byte
	for in := i2cp.NewFrameReader(conn); ; {
		kind, _, err := in.Next()
		var said []byte
		switch {
		case err != nil:
			return
		case kind == i2cp.TypeGetDate && b.refuses != "":
			said, err = i2cp.Disconnect{Reason: b.refuses}.AppendFrame(nil)
		case kind == i2cp.TypeGetDate:
			said, err = i2cp.SetDate{Date: time.Now().Add(b.ahead), Version: "0.9.66"}.AppendFrame(nil)
		case kind == i2cp.TypeCreateSession && !b.silent:
			said, err = i2cp.SessionStatus{Session: 7, State: b.session}.AppendFrame(nil)
		}
		if _, write := conn.Write(said); errors.Join(err, write) != nil {
			return
		}
	}
}

// answering is a server of another protocol: it says something to what it hears.
func answering(say func(heard string) string) dialer {
	return func(context.Context) (net.Conn, error) {
		client, server := memconn.Pair("other")
		go func() {
			defer server.Close()
			buffer := make([]byte, 1024)
			for {
				n, err := server.Read(buffer)
				if err != nil {
					return
				}
				if answer := say(string(buffer[:n])); answer != "" {
					server.Write([]byte(answer))
				}
			}
		}()
		return client, nil
	}
}
