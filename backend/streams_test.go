package backend

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/onelease/onelease/backend/backendtest"
	"github.com/onelease/onelease/i2p/streaming"
)

// A streamRig is a rig whose remotes have streams.
type streamRig struct {
	*rig
	net *backendtest.Net
}

func newStreamRig(t *testing.T, n int, change func(*Config)) *streamRig {
	t.Helper()
	return newRig(t, n, change).withNet()
}

// withNet has remotes with streams.
func (r *rig) withNet() *streamRig {
	s := &streamRig{r, backendtest.NewNet(r.t, r.frontends)}
	stop := r.stop
	r.stop = func() {
		s.net.Close()
		stop()
	}
	return s
}

// seeded is n bytes, always the same.
func seeded(n int) []byte {
	b := make([]byte, n)
	rand.NewChaCha8(sha256.Sum256([]byte("seed"))).Read(b)
	return b
}

// transfer writes want in small pieces with pauses, which takes a while, and
// returns what the other end read and the longest pause between two reads.
func transfer(from io.Writer, to io.Reader, want []byte) (got []byte, gap time.Duration) {
	go func() {
		for at := 0; at < len(want); at += 4096 {
			from.Write(want[at:min(at+4096, len(want))])
			time.Sleep(20 * time.Millisecond)
		}
	}()
	last := time.Now()
	buffer := make([]byte, 8192)
	for len(got) < len(want) {
		n, err := to.Read(buffer)
		gap, last = max(gap, time.Since(last)), time.Now()
		got = append(got, buffer[:n]...)
		if err != nil {
			break
		}
	}
	return got, gap
}

// transfers are the two directions of a stream: who writes and who reads.
var transfers = map[string]func(near, far net.Conn) (io.Writer, io.Reader){
	"download": func(near, far net.Conn) (io.Writer, io.Reader) { return near, far },
	"upload":   func(near, far net.Conn) (io.Writer, io.Reader) { return far, near },
}

// open begins a stream of remote, and returns both its ends.
func (r *streamRig) open(remote *backendtest.StreamRemote, port uint16) (near, far net.Conn) {
	r.t.Helper()
	accepted := make(chan net.Conn, 1)
	ln, err := r.host.Listen(port)
	if err != nil {
		r.t.Fatal(err)
	}
	defer ln.Close()
	go func() {
		if c, err := ln.Accept(); err == nil {
			accepted <- c
		}
	}()
	far, err = remote.Stack.Dial(r.t.Context(), streaming.NewRemote(r.keys.Destination), 0, port)
	if err != nil {
		r.t.Fatal(err)
	}
	return <-accepted, far
}

// A remote may send by two frontends at a time; answers follow the newer.
func TestStreamsFollowTheNewerFrontend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newStreamRig(t, 2, nil)
		defer r.stop()
		remote := r.net.NewRemote(0, false)
		near, far := r.open(remote, 80)
		for i := range 6 {
			time.Sleep(settleTime)
			remote.Use(i % 2)
			want := seeded(20_000)
			if got, gap := transfer(far, near, want); !bytes.Equal(got, want) || gap > time.Second {
				t.Fatalf("by %d: %d bytes, stood still for %v", i%2, len(got), gap)
			}
			before := r.host.Stats().Frontends[i%2].Out
			near.Write([]byte("x"))
			io.ReadFull(far, make([]byte, 1))
			if s := r.host.Stats(); s.Frontends[i%2].Out == before || s.Moved != uint64(i) || s.Streams.Accepted != 1 {
				t.Errorf("by %d: %+v", i%2, s)
			}
		}
	})
}

// When a Host ends, its streams are reset while the links still carry that.
func TestStreamsEndWithTheHost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 1, nil)
		network := backendtest.NewNet(t, r.frontends)
		s := &streamRig{r, network}
		_, far := s.open(network.NewRemote(0, false), 80)
		ln, err := r.host.Listen(81)
		if err != nil {
			t.Fatal(err)
		}
		r.stop()
		if _, err := far.Read(make([]byte, 1)); !errors.Is(err, streaming.ErrReset) {
			t.Errorf("the remote reads %v", err)
		}
		network.Close()
		if _, err := ln.Accept(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("Accept: %v", err)
		}
		if _, err := r.host.Listen(82); !errors.Is(err, net.ErrClosed) {
			t.Errorf("Listen: %v", err)
		}
		if _, err := r.host.DialContext(context.Background(), "", r.keys.Destination.Base64()); !errors.Is(err, net.ErrClosed) {
			t.Errorf("DialContext: %v", err)
		}
	})
}

func TestStreamsNeedASigner(t *testing.T) {
	host, err := NewHost(Config{Frontends: []Frontend{{Addr: "x"}}, Destination: newKeys(t).Destination})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := host.Listen(1); !errors.Is(err, ErrNoSigner) {
		t.Error(err)
	}
	if _, err := host.DialContext(t.Context(), "", "x.i2p"); !errors.Is(err, ErrNoSigner) {
		t.Error(err)
	}
	host, err = NewHost(Config{Frontends: []Frontend{{Addr: "x"}}, Signer: newKeys(t)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := host.Listen(1); !errors.Is(err, ErrNoFrontend) {
		t.Errorf("before the Destination is known: %v", err)
	}
	cfg := Config{Frontends: []Frontend{{Addr: "x"}}, Streams: streaming.Config{Link: streamLink{host}}}
	if _, err := NewHost(cfg); !errors.Is(err, ErrConfig) {
		t.Errorf("with a Link of its own: %v", err)
	}
}

// The frontend must be known by which an idle stream's remote can be reached.
func TestRemotesWithStreamsAreNotForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newStreamRig(t, 2, func(c *Config) { c.RemoteIdle = 2 * time.Minute })
		defer r.stop()
		near, _ := r.open(r.net.NewRemote(1, false), 80)
		time.Sleep(9 * time.Minute)
		if s := r.host.Stats(); s.Remotes != 1 || s.Frontends[1].Remotes != 1 {
			t.Errorf("%+v", s)
		}
		near.(*streaming.Stream).Reset()
		time.Sleep(5 * time.Minute)
		if s := r.host.Stats(); s.Remotes != 0 {
			t.Errorf("%d remotes after the last stream has ended", s.Remotes)
		}
	})
}
