package streaming

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/datagram"
)

var errNoPermission = errors.New("no permission")

// A changing origin is one Destination whose transient key changes.
type changing struct {
	keys    *i2p.Keys
	current atomic.Pointer[datagram.Origin]
}

func newChanging(t testing.TB) *changing {
	t.Helper()
	keys, err := i2p.GenerateKeys()
	if err != nil {
		t.Fatal(err)
	}
	return &changing{keys: keys}
}

// renew permits a new key for that long.
func (c *changing) renew(t testing.TB, life time.Duration) *datagram.Origin {
	t.Helper()
	transient := newOrigin(t, i2p.SigEd25519)
	offline, err := i2p.SignOffline(c.keys, transient.Destination.SigningKey(), time.Now().Add(life))
	if err != nil {
		t.Fatal(err)
	}
	o := &datagram.Origin{Destination: c.keys.Destination, Signer: transient.Signer, Offline: offline}
	c.current.Store(o)
	return o
}

func (c *changing) origin() (*datagram.Origin, error) {
	if o := c.current.Load(); o != nil && !o.Expired(time.Now()) {
		return o, nil
	}
	return nil, errNoPermission
}

func (c *changing) config() Config {
	return Config{Origin: datagram.Origin{Destination: c.keys.Destination}, Current: c.origin}
}

// signedBy collects the transient keys that the signed packets of an end show.
type signedBy struct {
	from *end
	keys [][]byte
	bare int // signed packets without a block or without FROM
}

// watch has the wire's drop look at packets and drop none.
func (w *wire) watch(from *end) *signedBy {
	s := &signedBy{from: from}
	w.set(func() { w.drop = s.look })
	return s
}

func (s *signedBy) look(from *end, p *Packet) bool {
	if from != s.from || p.Flags&FlagSigned == 0 {
		return false
	}
	if p.Flags&FlagOffline == 0 || p.Flags&FlagFrom == 0 {
		s.bare++
		return false
	}
	offline, _, err := i2p.ParseOfflineSignature(p.raw[p.proofAt:p.proofEnd], i2p.SigEd25519)
	if err == nil {
		s.keys = append(s.keys, offline.Key.Key)
	}
	return false
}

// all fails the test unless there were n packets at least, all signed by o.
func (s *signedBy) all(t *testing.T, o *datagram.Origin, n int) {
	t.Helper()
	s.from.wire.mu.Lock()
	defer s.from.wire.mu.Unlock()
	if s.bare > 0 || len(s.keys) < n {
		t.Errorf("%d signed packets, %d more without FROM or OFFLINE_SIGNATURE; want %d", len(s.keys), s.bare, n)
	}
	for i, key := range s.keys {
		if !bytes.Equal(key, o.Offline.Key.Key) {
			t.Errorf("signed packet %d is of another key", i)
		}
	}
}

func TestStreamKeepsTheKeyThatItBeganWith(t *testing.T) {
	for name, accept := range map[string]bool{"dialled": false, "accepted": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, c := newWire(7), newChanging(t)
				first := c.renew(t, 24*time.Hour)
				ours, remote := w.add(t, c.config()), w.add(t, Config{})
				seen := w.watch(ours)
				mine, theirs := connectEither(t, ours, remote, accept)
				second := c.renew(t, 24*time.Hour)
				transfer(t, mine, theirs, 1, 50<<10) // which closes
				transfer(t, theirs, mine, 2, 50<<10)
				time.Sleep(time.Second)
				seen.all(t, first, 2)
				seen = w.watch(ours)
				mine, theirs = connectEither(t, ours, remote, accept)
				mine.Reset()
				if _, err := theirs.Read(make([]byte, 1)); !errors.Is(err, ErrReset) {
					t.Errorf("the remote reads %v", err)
				}
				seen.all(t, second, 2)
			})
		})
	}
}

// connectEither is a stream between two ends, the first one's side first.
func connectEither(t *testing.T, ours, remote *end, accept bool) (mine, theirs *Stream) {
	t.Helper()
	if accept {
		theirs, mine = connect(t, remote, ours)
		return mine, theirs
	}
	return connect(t, ours, remote)
}

// A stream that outlives its permission ends with the newest.
func TestStreamOutlivesItsPermission(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, c := newWire(7), newChanging(t)
		c.renew(t, time.Hour)
		ours, remote := w.add(t, c.config()), w.add(t, Config{})
		mine, theirs := connect(t, ours, remote)
		time.Sleep(30 * time.Minute)
		second := c.renew(t, time.Hour)
		time.Sleep(31 * time.Minute) // the first is over
		seen := w.watch(ours)
		transfer(t, mine, theirs, 1, 50<<10)
		transfer(t, theirs, mine, 2, 50<<10)
		time.Sleep(time.Second)
		seen.all(t, second, 1)
		if n := ours.Stats().Open + remote.Stats().Open; n != 0 {
			t.Errorf("%d streams are left open", n)
		}
	})
}

// With no newer permission the stream's own, which is over, must still end it
// for a remote that has seen it in the SYN.
func TestStreamEndsWithAPermissionThatIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, c := newWire(7), newChanging(t)
		c.renew(t, time.Hour)
		ours, remote := w.add(t, c.config()), w.add(t, Config{})
		mine, theirs := connect(t, ours, remote)
		time.Sleep(2 * time.Hour)
		transfer(t, mine, theirs, 1, 50<<10)
		mine.Reset()
		time.Sleep(time.Second)
		if _, err := theirs.Write([]byte("x")); !errors.Is(err, ErrReset) {
			t.Errorf("the remote writes: %v", err)
		}
		if n := remote.Stats().Unsigned; n != 0 {
			t.Errorf("%d packets were taken for unsigned", n)
		}
	})
}

// A block that is over must not do for a key that the SYN did not show.
func TestExpiredBlockOfAnotherKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, c := newWire(7), newChanging(t)
		other := c.renew(t, time.Minute)
		c.renew(t, 24*time.Hour)
		ours, remote := w.add(t, c.config()), w.add(t, Config{})
		mine, theirs := connect(t, ours, remote)
		time.Sleep(time.Hour)
		mine.mu.Lock()
		mine.sendWithLocked(other, FlagReset)
		mine.mu.Unlock()
		time.Sleep(time.Second)
		if n := remote.Stats(); n.Unsigned != 1 || n.Open != 1 {
			t.Errorf("unsigned %d, want 1; open %d, want 1", n.Unsigned, n.Open)
		}
		theirs.Reset()
	})
}

// sendWithLocked sends the next packet with those flags, signed by o.
func (st *Stream) sendWithLocked(o *datagram.Origin, flags Flags) {
	p := Packet{SendID: st.remoteID, ReceiveID: st.id, Seq: st.una + uint32(st.sent), Flags: flags}
	st.stack.sendPacket(o, st.remote, st.localPort, st.remotePort, &p)
}

// Without a permission nothing begins; with one the remote's next SYN does.
func TestNoStreamsBeforeAPermission(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, c := newWire(7), newChanging(t)
		ours, remote := w.add(t, c.config()), w.add(t, Config{})
		ln, err := ours.Listen(80)
		if err != nil {
			t.Fatal(err)
		}
		defer ln.Close()
		if _, err := ours.Dial(context.Background(), remote.remote, 0, 80); !errors.Is(err, errNoPermission) {
			t.Errorf("Dial: %v", err)
		}
		dialled := make(chan *Stream, 1)
		go func() {
			st, err := remote.Dial(context.Background(), ours.remote, 0, 80)
			if err != nil {
				t.Errorf("the remote's Dial: %v", err)
			}
			dialled <- st
		}()
		time.Sleep(5 * time.Second)
		if s := ours.Stats(); s.Open != 0 || s.PacketsOut != 0 {
			t.Errorf("without a permission: %+v", s)
		}
		c.renew(t, time.Hour)
		st := <-dialled
		if st == nil {
			return
		}
		sayWord(t, st, ln)
	})
}

// sayWord sends a word through a stream that ln is to accept.
func sayWord(t *testing.T, st *Stream, ln net.Listener) {
	t.Helper()
	conn, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	st.Write([]byte("word"))
	b := make([]byte, 4)
	if _, err := io.ReadFull(conn, b); err != nil || string(b) != "word" {
		t.Errorf("%q, %v", b, err)
	}
	conn.Close()
	st.Close()
}
