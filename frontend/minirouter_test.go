package frontend

import (
	"bufio"
	"context"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/i2cp"
	"github.com/onelease/onelease/i2p/sam"
	"github.com/onelease/onelease/i2p/simnet"
	"github.com/onelease/onelease/internal/memconn"
)

// dialWantsPassword is a Java I2P router with i2cp.auth set.
func dialWantsPassword(user, password string) func(context.Context) (net.Conn, error) {
	return func(context.Context) (net.Conn, error) {
		client, server := memconn.Pair("router")
		go func() {
			defer server.Close()
			in := i2cp.NewFrameReader(bufio.NewReader(server))
			server.Read(make([]byte, 1)) // the protocol byte
			_, body, err := in.Next()
			if err != nil {
				return
			}
			m, _ := i2cp.ParseGetDate(body)
			if m.Options["i2cp.username"] != user || m.Options["i2cp.password"] != password {
				b, _ := i2cp.Disconnect{Reason: "Authorization failed"}.AppendFrame(nil)
				server.Write(b)
				return
			}
			b, _ := i2cp.SetDate{Date: time.Now(), Version: "0.9.66"}.AppendFrame(nil)
			server.Write(b)
			io.Copy(io.Discard, server)
		}()
		return client, nil
	}
}

func TestWrongPassword(t *testing.T) {
	inWorld(t, simnet.JavaI2P, func(cfg *Config) {
		cfg.Router = RouterConfig{Dial: dialWantsPassword("me", "right"), User: "me", Password: "wrong-secret"}
	}, func(w *world) {
		w.until("it is reported", func() bool { return w.log.count("set Router.User and Router.Password") == 1 })
		time.Sleep(5 * time.Minute)
		if n := w.log.count("set Router.User and Router.Password"); n != 1 {
			t.Errorf("reported %d times", n)
		}
		if w.frontend.Status().RouterError == "" {
			t.Error("the status does not say why")
		}
		if w.log.count("wrong-secret") > 0 {
			t.Error("the password is in the log")
		}
	})
	inWorld(t, simnet.JavaI2P, func(cfg *Config) {
		cfg.Router = RouterConfig{Dial: dialWantsPassword("me", "right"), User: "me", Password: "right"}
	}, func(w *world) {
		w.until("the session is asked for", func() bool { return w.asked() == 1 })
	})
}

// dialSink is a router that makes a session and takes whatever comes.
func dialSink(context.Context) (net.Conn, error) {
	client, server := memconn.Pair("router")
	go func() {
		defer server.Close()
		b, _ := i2cp.SetDate{Date: time.Now(), Version: "0.9.66"}.AppendFrame(nil)
		b, _ = i2cp.SessionStatus{Session: 1, State: i2cp.SessionCreated}.AppendFrame(b)
		server.Write(b)
		sink := make([]byte, 1<<16)
		for {
			if _, err := server.Read(sink); err != nil {
				return
			}
		}
	}()
	return client, nil
}

// TestPacketsAllocateNothing has a backend on one side and a router on the
// other that both only read.
func TestPacketsAllocateNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simnet.I2PD258)
		defer w.network.Close()
		cfg := w.config()
		cfg.Router.Dial = dialSink
		w.run(cfg)
		defer w.leader.stop()
		defer w.stop()
		w.until("the session is up", func() bool { return w.frontend.Status().RouterUp })
		w.frontend.leases.mu.Lock()
		w.frontend.leases.served = true // as if the router had asked
		w.frontend.leases.mu.Unlock()
		backend := w.attach("backend", func(sam.Packet) {}, nil)
		defer backend.Close()
		synctest.Wait()
		checkNoAllocs(t, w.frontend)
	})
}

func checkNoAllocs(t *testing.T, f *Frontend) {
	remote, err := i2p.GenerateKeys()
	if err != nil {
		t.Fatal(err)
	}
	data, h, host := make([]byte, 1024), routerHandler{f}, i2cpHost{f}
	in := i2cp.Payload{Protocol: 6, Data: data}
	out := sam.Packet{Peer: remote.Destination, Protocol: 6, Data: data}
	paths := map[string]func(){
		"in":  func() { h.Message(in) },
		"out": func() { host.Send(out) },
		"status": func() {
			h.MessageStatus(1, i2cp.StatusHandedOn)
			h.MessageStatus(1, i2cp.StatusNoLeaseSet)
		},
	}
	for name, path := range paths {
		both := func() { path(); synctest.Wait() }
		for range 100 {
			both() // buffers grow
		}
		if n := testing.AllocsPerRun(200, both); n > 0 {
			t.Errorf("%s: %v allocations per packet", name, n)
		}
	}
}
