package streaming

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/datagram"
)

func TestConfigErrors(t *testing.T) {
	good := Config{Origin: newOrigin(t, i2p.SigEd25519), Link: &capture{}}
	for name, spoil := range map[string]func(c *Config){
		"Origin":     func(c *Config) { c.Origin = datagram.Origin{} },
		"Link":       func(c *Config) { c.Link = nil },
		"MaxPayload": func(c *Config) { c.MaxPayload = 100 },
		"buffers":    func(c *Config) { c.ReceiveBuffer = 1 },
		"GiveUp":     func(c *Config) { c.GiveUp = -1 },
	} {
		cfg := good
		spoil(&cfg)
		if _, err := New(cfg); !errors.Is(err, ErrConfig) {
			t.Errorf("bad %s: %v", name, err)
		}
	}
}

// IDs are NewID's, but for those that are no use.
func TestNewID(t *testing.T) {
	var next atomic.Uint32
	given := func() uint32 { return next.Add(1) / 2 } // 0, 1, 1, 2, 2 ...
	bubble(t, Config{NewID: given}, func(t *testing.T, w *wire, a, b *end) {
		ids := make(map[uint32]bool)
		b.Listen(80)
		for range 50 {
			st, err := a.Dial(context.Background(), b.remote, 0, 80)
			if err != nil {
				t.Fatal(err)
			}
			ids[st.id] = true
		}
		if len(ids) != 50 || ids[0] {
			t.Errorf("%d different IDs: %v", len(ids), ids)
		}
	})
}

// Without an ID that is free there is no stream.
func TestIDsInUse(t *testing.T) {
	bubble(t, Config{NewID: func() uint32 { return 7 }}, func(t *testing.T, w *wire, a, b *end) {
		b.Listen(80)
		if _, err := a.Dial(context.Background(), b.remote, 0, 80); err != nil {
			t.Fatal(err)
		}
		if _, err := a.Dial(context.Background(), b.remote, 0, 80); !errors.Is(err, errNoID) {
			t.Errorf("a second: %v", err)
		}
	})
}

// Without a nudge, an outage of a minute ends when the next timeout finds the
// way open again, and all that was lost is not waited for one by one.
func TestOutageWithoutNudge(t *testing.T) {
	bubble(t, Config{}, func(t *testing.T, w *wire, a, b *end) {
		dialled, accepted := connect(t, a, b)
		go io.Copy(writerOnly{dialled}, noise(1, 10<<20))
		io.CopyN(io.Discard, accepted, 2<<20)
		w.set(func() { w.cut = true })
		before := a.Stats().PacketsOut
		time.Sleep(time.Minute)
		if n := a.Stats().PacketsOut - before; n > 300 {
			t.Errorf("%d packets were sent into the void", n)
		}
		w.set(func() { w.cut = false })
		start := time.Now()
		io.CopyN(io.Discard, accepted, 3<<20)
		if took := time.Since(start); took > maxRTO+3*time.Second {
			t.Errorf("3 MiB took %v", took)
		}
	})
}

// A remote that says that it is choked gets no more than a question now and
// then; i2pd says it with 60000 and takes it back with an ack.
func TestChokedRemote(t *testing.T) {
	for _, back := range []Packet{
		{Flags: FlagDelay, Delay: 1, AckThrough: 1},
		{AckThrough: 1},
	} {
		synctest.Test(t, func(t *testing.T) {
			_, e := listening(t, Config{})
			f := newForger(t, e)
			f.receive(f.sign(f.syn(77)), nil)
			st := e.with(f.remote.Hash)[0]
			say := func(p Packet) {
				p.SendID, p.ReceiveID = st.id, 77
				f.receive(p.AppendTo(nil), nil)
			}
			st.Write(make([]byte, 500<<10))
			say(Packet{Flags: FlagDelay, Delay: 60000})
			before := e.packets()
			for range 10 {
				time.Sleep(time.Minute)
				say(Packet{Flags: FlagDelay, Delay: 60000})
			}
			if n := e.packets() - before; n > 200 || n < 10 {
				t.Errorf("%d packets in 10 minutes", n)
			}
			before = e.packets()
			say(back)
			time.Sleep(time.Second)
			if n := e.packets() - before; n < 2 {
				t.Errorf("%d packets after it is not choked any more", n)
			}
		})
	}
}

// What a remote sends out of order is bounded in number and size.
func TestOutOfOrderFlood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, e := listening(t, Config{})
		f := newForger(t, e)
		f.receive(f.sign(f.syn(77)), nil)
		st := e.with(f.remote.Hash)[0]
		for _, size := range []int{0, 1, 30 << 10} {
			for i := range 10000 {
				p := Packet{SendID: st.id, ReceiveID: 77, Seq: uint32(2 + 2*i), Payload: make([]byte, size)}
				f.receive(p.AppendTo(nil), nil)
			}
		}
		if n, bytes := len(st.receiver.early), st.receiver.ahead; n > maxAhead || bytes > st.stack.cfg.ReceiveBuffer {
			t.Errorf("%d packets, %d bytes are held", n, bytes)
		}
	})
}

// The same SYN by two ways at once, and all calls at once, in real time for the
// race detector.
func TestManyAtOnce(t *testing.T) {
	w := newWire(4)
	a, b := w.add(t, Config{}), w.add(t, Config{})
	w.twice, w.delay, w.jitter = 1, 0, time.Millisecond
	ln, err := b.Listen(0)
	if err != nil {
		t.Fatal(err)
	}
	go echo(ln)
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			st, err := a.Dial(context.Background(), b.remote, 0, uint16(i))
			if err != nil {
				t.Error(err)
				return
			}
			transfer(t, st, st, byte(i), 50<<10)
			st.Close()
		})
		all.Go(func() {
			a.Nudge(b.remote.Hash, time.Now())
			b.Nudge(a.remote.Hash, time.Now())
			a.Streams(b.remote.Hash)
			b.Stats()
		})
	}
	all.Wait()
	if s := b.Stats(); s.Accepted != 20 {
		t.Errorf("%d streams were accepted", s.Accepted)
	}
}

// echo sends back what comes.
func echo(ln net.Listener) {
	for {
		conn, err := ln.Accept()
		if err != nil {
			return
		}
		go func() {
			io.Copy(writerOnly{conn}, conn)
			conn.Close()
		}()
	}
}
