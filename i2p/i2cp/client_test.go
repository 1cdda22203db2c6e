package i2cp

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		end := r.ready()
		signed, keys := leaseSet(t, time.Now(), nil)
		if err := r.InstallLeaseSet(signed, keys); err != nil {
			t.Fatal(err)
		}
		got, err := ParseCreateLeaseSet2(end.expect(TypeCreateLeaseSet2))
		if err != nil || got.Session != testSession || !bytes.Equal(got.LeaseSet, signed) || !bytes.Equal(got.Keys[0].Key, keys[0].Key) {
			t.Errorf("router got %+v, %v", got, err)
		}
		exchange(r, end)
		destroyed := make(chan error)
		go func() {
			body := end.expect(TypeDestroySession)
			m, err := ParseDestroySession(body)
			end.send(SessionStatus{m.Session, SessionDestroyed})
			destroyed <- err
		}()
		r.cancel()
		if err := <-destroyed; err != nil {
			t.Error(err)
		}
		next[down](r)
		if err := <-r.done; err != context.Canceled {
			t.Errorf("Run returned %v", err)
		}
	})
}

// exchange passes a message each way and a status.
func exchange(r *rig, end *routerEnd) {
	expires := time.UnixMilli(time.Now().UnixMilli() + 500)
	err := r.Send(testKeys.Destination, 1, 2, ProtocolDatagram, []byte("out"), SendOptions{Nonce: 9, Expires: expires})
	if err != nil {
		r.Fatal(err)
	}
	m, err := ParseSendMessage(TypeSendMessageExpires, end.expect(TypeSendMessageExpires))
	if err != nil || m.Session != testSession || m.To != testKeys.Destination || m.Nonce != 9 || !m.Expires.Equal(expires) {
		r.Errorf("router got %+v, %v", m, err)
	}
	if p, err := new(Inflater).Parse(m.Payload); err != nil || p.FromPort != 1 || p.ToPort != 2 || p.Protocol != ProtocolDatagram || string(p.Data) != "out" {
		r.Errorf("payload %+v, %v", p, err)
	}
	end.send(MessageStatus{Session: testSession, Status: StatusHandedOn, Nonce: 9})
	if got := next[MessageStatus](r); got.Nonce != 9 || got.Status != StatusHandedOn {
		r.Errorf("status %+v", got)
	}
	end.send(MessagePayload{testSession, 1, AppendPayload(nil, 3, 4, ProtocolRaw, []byte("in"))})
	if p := next[Payload](r); p.FromPort != 3 || p.ToPort != 4 || p.Protocol != ProtocolRaw || string(p.Data) != "in" {
		r.Errorf("handler got %+v", p)
	}
}

// A router that does not answer DestroySession does not keep Run.
func TestCloseDoesNotHang(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		r.establish()
		start := time.Now()
		r.stop()
		if took := time.Since(start); took != closeTimeout {
			t.Errorf("closing took %v", took)
		}
	})
}

func TestKeepAlive(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		end := r.establish()
		answering, stop := context.WithTimeout(r.Context(), 10*time.Minute)
		defer stop()
		for answering.Err() == nil {
			end.expect(TypeGetDate)
			end.send(SetDate{time.Now(), Version})
		}
		if len(r.events) > 0 {
			r.Fatalf("a router that answers was left: %+v", <-r.events)
		}
		silent := time.Now()
		go end.discard()
		if err := next[down](r).err; !errors.Is(err, ErrUnresponsive) {
			r.Errorf("down with %v", err)
		}
		if took := time.Since(silent); took < 1500*time.Millisecond || took > 2*time.Second {
			r.Errorf("noticed after %v", took)
		}
	})
}

// Messages are a sign of life too: a busy router that is late with its date
// stays connected.
func TestKeepAliveByMessages(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		end := r.establish()
		go end.discard()
		for range 60 {
			time.Sleep(time.Second)
			end.send(MessagePayload{testSession, 1, AppendPayload(nil, 1, 1, ProtocolRaw, nil)})
			next[Payload](r)
		}
	})
}

// A router that stops reading, as one that is stopped does, costs no more than
// the queue, and no call hangs.
func TestRouterStopsReading(t *testing.T) {
	bubble(t, func(c *Config) { c.QueueSize = 10000 }, func(r *rig) {
		r.establish()
		var err error
		sent := 0
		for ; err == nil; sent++ {
			err = r.Send(testKeys.Destination, 1, 2, ProtocolRaw, make([]byte, 1000), SendOptions{})
			synctest.Wait() // the first is being written
		}
		if err != ErrQueueFull || sent < 5 || sent > 10 {
			r.Errorf("message %d: %v", sent, err)
		}
		if s := r.Stats(); s.Dropped != 1 || s.Sent != uint64(sent-1) {
			r.Errorf("stats %+v after %d messages", s, sent)
		}
		if err := next[down](r).err; !errors.Is(err, ErrUnresponsive) {
			r.Errorf("down with %v", err)
		}
		if err := r.Send(testKeys.Destination, 1, 2, ProtocolRaw, nil, SendOptions{}); err != ErrNoSession {
			r.Errorf("send without a session: %v", err)
		}
	})
}
