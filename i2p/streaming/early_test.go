package streaming

import (
	"context"
	"io"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// Data that overtakes the SYN, or the SYN reply, is not lost; nor is what a
// remote sends before it has the SYN reply.
func TestDataBeforeTheSYN(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, e := listening(t, Config{})
		f := newForger(t, e)
		data := func(seq uint32, text string) []byte {
			return (&Packet{ReceiveID: 5, Seq: seq, Flags: FlagNoAck, Payload: []byte(text)}).AppendTo(nil)
		}
		f.receive(data(1, "one "), nil)
		f.receive(f.sign(f.syn(5)), nil)
		f.receive(data(2, "two"), nil)
		st := e.with(f.remote.Hash)[0]
		got := make([]byte, 7)
		st.SetReadDeadline(time.Now().Add(time.Second))
		if n, err := io.ReadFull(st, got); err != nil {
			t.Errorf("%q, %v", got[:n], err)
		}
	})
	bubble(t, Config{}, func(t *testing.T, w *wire, a, b *end) {
		ln, _ := b.Listen(80)
		go func() {
			conn, _ := ln.Accept()
			conn.Write(make([]byte, 10<<10))
		}()
		held := false
		w.drop = func(from *end, p *Packet) bool { // the SYN reply, the first time
			if from == b && p.Flags&FlagSync != 0 && !held {
				held = true
				packet := slices.Clone(p.raw)
				time.AfterFunc(200*time.Millisecond, func() { a.Receive(Inbound{Data: packet}) })
				return true
			}
			return false
		}
		start := time.Now()
		st, err := a.Dial(context.Background(), b.remote, 0, 80)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(st, make([]byte, 10<<10)); err != nil || time.Since(start) > 400*time.Millisecond {
			t.Errorf("%v after %v", err, time.Since(start))
		}
	})
}
