package raftstate

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/raft"

	"github.com/onelease/onelease/internal/memconn"
	"github.com/onelease/onelease/raftstate/ledger"
)

// transport makes one at addr, which logs to w.
func (n *network) transport(t *testing.T, id, cluster string, w io.Writer, edit ...func(*TransportConfig)) *Transport {
	t.Helper()
	c := TransportConfig{
		ID: id, Cluster: cluster, Advertise: id + ":1", Listener: n.listen(id + ":1"), Dial: n.dialer(id + ":1"),
		Logger: slog.New(slog.NewTextHandler(w, nil)),
	}
	for _, f := range edit {
		f(&c)
	}
	tr, err := NewTransport(c)
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

func TestProbe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		a := n.transport(t, "a", "one", io.Discard)
		defer a.Close()
		b := n.transport(t, "b", "one", io.Discard, func(c *TransportConfig) { c.MaxVersion = 1 })
		defer b.Close()
		if peer, err := a.Probe(t.Context(), "b:1"); peer != (Peer{ID: "b", Version: 1}) || err != nil {
			t.Errorf("probed %+v, %v", peer, err)
		}
		if a.contacts.get("b").version != 1 || b.contacts.get("a").version != ledger.Version {
			t.Errorf("a knows of b %+v, b of a %+v", a.contacts.get("b"), b.contacts.get("a"))
		}
	})
}

// Both sides must say it: who sets a node up looks at one of them.
func TestAnotherClusterIsRefusedInPlainWords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		var log bytes.Buffer
		a := n.transport(t, "a", "one", io.Discard)
		b := n.transport(t, "b", "two", &log)
		_, err := a.Probe(t.Context(), "b:1")
		synctest.Wait()
		a.Close()
		b.Close()
		if !errors.Is(err, ErrNotMember) {
			t.Errorf("error %v, want ErrNotMember", err)
		}
		for _, said := range []string{err.Error(), log.String()} {
			if !strings.Contains(said, `cluster`) || !strings.Contains(said, "one") || !strings.Contains(said, "two") {
				t.Errorf("said %q, want both clusters", said)
			}
		}
	})
}

func TestNodesThatAreRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		unwanted := errors.New("its certificate is for c")
		authorize := func(c *TransportConfig) {
			c.Authorize = func(conn net.Conn, id string) error {
				if _, ok := conn.(*streamConn); ok {
					t.Error("the caller is shown a connection that it did not make")
				}
				if id == "b" {
					return unwanted
				}
				return nil
			}
		}
		a := n.transport(t, "a", "one", io.Discard, authorize)
		defer a.Close()
		b := n.transport(t, "b", "one", io.Discard)
		defer b.Close()
		twin := n.transport(t, "twin", "one", io.Discard, func(c *TransportConfig) { c.ID = "a" })
		defer twin.Close()
		if _, err := a.Probe(t.Context(), "b:1"); !errors.Is(err, unwanted) {
			t.Errorf("dialed: error %v, want that of Authorize", err)
		}
		if _, err := b.Probe(t.Context(), "a:1"); !errors.Is(err, ErrNotMember) || !strings.Contains(err.Error(), unwanted.Error()) {
			t.Errorf("accepted: error %v, want ErrNotMember that says why", err)
		}
		if _, err := a.Probe(t.Context(), "twin:1"); !errors.Is(err, ErrNotMember) || !strings.Contains(err.Error(), "two nodes") {
			t.Errorf("a node of its own ID: error %v", err)
		}
	})
}

// A vote of one node must not count as another's.
func TestAnotherNodeAtAMembersAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		a := n.transport(t, "a", "one", io.Discard)
		defer a.Close()
		b := n.transport(t, "b", "one", io.Discard)
		defer b.Close()
		a.serve(func(string) string { return "c" }, func() bool { return false })
		err := a.RequestVote("c", "b:1", &raft.RequestVoteRequest{}, &raft.RequestVoteResponse{})
		if !errors.Is(err, ErrNotMember) || !strings.Contains(err.Error(), `"b"`) {
			t.Errorf("error %v, want ErrNotMember that names b", err)
		}
	})
}

func TestConnectionsWithoutAHello(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		a := n.transport(t, "a", "one", io.Discard)
		defer a.Close()
		for what, say := range map[string]string{
			"nothing":         "",
			"HTTP":            "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
			"a long hello":    helloMagic + "\x01\xff\xff",
			"a later version": helloMagic + "\x02\x00\x00",
		} {
			conn, err := n.listeners["a:1"].Dial(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			start := time.Now()
			conn.Write([]byte(say))
			answer, err := readHello(conn)
			if say != "" && (err != nil || answer.Refusal == "") || time.Since(start) > defaultDialTimeout {
				t.Errorf("%s: answer %+v, %v, after %v", what, answer, err, time.Since(start))
			}
			if _, err := conn.Read(make([]byte, 1)); err == nil {
				t.Errorf("%s: the connection goes on", what)
			}
			conn.Close()
		}
	})
}

// Neither may keep others waiting: who says nothing, and who answers nothing.
func TestSilentNodes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		a := n.transport(t, "a", "one", io.Discard)
		defer a.Close()
		b := n.transport(t, "b", "one", io.Discard)
		defer b.Close()
		for range maxGreeting - 1 {
			conn, err := n.listeners["a:1"].Dial(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
		}
		start := time.Now()
		if _, err := b.Probe(t.Context(), "a:1"); err != nil || time.Since(start) > 0 {
			t.Errorf("beside silent ones: %v after %v", err, time.Since(start))
		}
		n.listen("mute:1")
		if _, err := a.Probe(t.Context(), "mute:1"); err == nil || time.Since(start) > defaultDialTimeout {
			t.Errorf("to a mute one: %v after %v", err, time.Since(start))
		}
	})
}

func TestTransportChecksConfig(t *testing.T) {
	good := TransportConfig{
		ID: "a", Cluster: "one", Advertise: "a:1", Listener: memconn.Listen("a"),
		Dial: func(context.Context, string) (net.Conn, error) { return nil, io.EOF },
	}
	for name, edit := range map[string]func(*TransportConfig){
		"no ID":          func(c *TransportConfig) { c.ID = "" },
		"no cluster":     func(c *TransportConfig) { c.Cluster = "" },
		"no port":        func(c *TransportConfig) { c.Advertise = "a" },
		"port 0":         func(c *TransportConfig) { c.Advertise = "a:0" },
		"any host":       func(c *TransportConfig) { c.Advertise = "[::]:1" },
		"no listener":    func(c *TransportConfig) { c.Listener = nil },
		"no dial":        func(c *TransportConfig) { c.Dial = nil },
		"future version": func(c *TransportConfig) { c.MaxVersion = ledger.Version + 1 },
	} {
		c := good
		edit(&c)
		if _, err := NewTransport(c); !errors.Is(err, ledger.ErrInvalid) {
			t.Errorf("%s: error %v, want ErrInvalid", name, err)
		}
	}
	tr, err := NewTransport(good)
	if err != nil {
		t.Fatal(err)
	}
	defer tr.Close()
	for name, c := range map[string]Config{
		"another ID":      {ID: "b", InMemory: true, Transport: tr},
		"another cluster": {ID: "a", Cluster: "two", InMemory: true, Transport: tr},
		"another version": {ID: "a", MaxVersion: 1, InMemory: true, Transport: tr},
	} {
		if _, err := Open(c); !errors.Is(err, ledger.ErrInvalid) {
			t.Errorf("store with %s: error %v, want ErrInvalid", name, err)
		}
	}
}

func TestHelloGolden(t *testing.T) {
	h := hello{ID: "node-1", Cluster: "one", Refusal: "no", MaxVersion: 2, HasState: true}
	want := "onelease-raft\x01\x00\x13\x06node-1\x03one\x02no\x00\x00\x00\x02\x01"
	if got := string(h.encode()); got != want {
		t.Errorf("encoded %q, want %q", got, want)
	}
	if got, err := readHello(strings.NewReader(want + "rest")); got != h || err != nil {
		t.Errorf("read %+v, %v", got, err)
	}
	h.Refusal = strings.Repeat("é", 200)
	if got, err := readHello(bytes.NewReader(h.encode())); err != nil || len(got.Refusal) > maxRefusal {
		t.Errorf("a long refusal is read as %d bytes, %v", len(got.Refusal), err)
	}
}

// Any bytes are refused, or are a hello that is written and read as the same.
func FuzzHello(f *testing.F) {
	f.Add(hello{ID: "node-1", Cluster: "one", MaxVersion: 1}.encode())
	f.Add(hello{ID: "node-1", Cluster: "one", Refusal: "no", MaxVersion: 2}.encode())
	f.Add([]byte(helloMagic + "\x02\x00\x01a"))
	f.Fuzz(func(t *testing.T, data []byte) {
		h, err := readHello(bytes.NewReader(data))
		if err != nil {
			if !errors.Is(err, errHello) && !errors.Is(err, ledger.ErrVersion) && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Fatalf("error %v is of no known kind", err)
			}
			return
		}
		if again, err := readHello(bytes.NewReader(h.encode())); again != h || err != nil {
			t.Fatalf("%+v is read back as %+v, %v", h, again, err)
		}
	})
}
