package i2cp

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/onelease/onelease/i2p"
)

// found is the result of a lookup.
type found struct {
	dest i2p.Destination
	err  error
}

// ask starts a lookup, whose question the router's end gets.
func ask(end *routerEnd, lookup func() (i2p.Destination, error)) (HostLookup, <-chan found) {
	end.Helper()
	result := make(chan found, 1)
	go func() {
		dest, err := lookup()
		result <- found{dest, err}
	}()
	m, err := ParseHostLookup(end.expect(TypeHostLookup))
	if err != nil || m.Session != testSession {
		end.Fatalf("router got %+v, %v", m, err)
	}
	return m, result
}

func TestLookups(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		end, dest := r.establish(), testKeys.Destination
		m1, hash := ask(end, func() (i2p.Destination, error) { return r.LookupHash(r.Context(), dest.Hash()) })
		m2, name := ask(end, func() (i2p.Destination, error) { return r.LookupName(r.Context(), "a.i2p") })
		m3, b32 := ask(end, func() (i2p.Destination, error) { return r.LookupName(r.Context(), dest.Base32()) })
		if m1.Kind != LookupByHash || m1.Hash != dest.Hash() || m1.Timeout != lookupTimeout {
			r.Errorf("by hash: %+v", m1)
		}
		if m2.Kind != LookupByName || m2.Name != "a.i2p" {
			r.Errorf("by name: %+v", m2)
		}
		if m3.Kind != LookupByHash || m3.Hash != dest.Hash() {
			r.Errorf("by b32: %+v", m3)
		}
		end.send(HostReply{testSession, m3.Request, HostFound, dest, nil}) // in another order
		end.send(HostReply{testSession, m2.Request, HostFailure, i2p.Destination{}, nil})
		end.send(HostReply{testSession, m1.Request, HostFound, dest, nil})
		for i, result := range []<-chan found{hash, b32} {
			if got := <-result; got.err != nil || got.dest != dest {
				r.Errorf("lookup %d: %+v", i, got)
			}
		}
		if got := <-name; !errors.Is(got.err, ErrNotFound) {
			r.Errorf("not found: %v", got.err)
		}
	})
}

func TestLookupOfAnotherHash(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		end := r.establish()
		m, result := ask(end, func() (i2p.Destination, error) { return r.LookupHash(r.Context(), i2p.Hash{1}) })
		end.send(HostReply{testSession, m.Request, HostFound, testKeys.Destination, nil})
		if got := <-result; !errors.Is(got.err, ErrNotFound) || !got.dest.IsZero() {
			r.Errorf("got %+v", got)
		}
	})
}

func TestLookupEnds(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		if _, err := r.LookupName(r.Context(), "a.i2p"); !errors.Is(err, ErrNoSession) {
			r.Errorf("without a session: %v", err)
		}
		end := r.establish()
		ctx, cancel := context.WithTimeout(r.Context(), time.Second)
		defer cancel()
		m, result := ask(end, func() (i2p.Destination, error) { return r.LookupHash(ctx, i2p.Hash{}) })
		if m.Timeout != time.Second {
			r.Errorf("the router is told %v", m.Timeout)
		}
		if got := <-result; !errors.Is(got.err, context.DeadlineExceeded) {
			r.Errorf("no answer: %v", got.err)
		}
		_, result = ask(end, func() (i2p.Destination, error) { return r.LookupName(r.Context(), "a.i2p") })
		end.conn.Close()
		if got := <-result; !errors.Is(got.err, ErrNoSession) {
			r.Errorf("end of session: %v", got.err)
		}
		next[down](r)
	})
}

// Lookups that nobody answers are bounded and leave nothing behind.
func TestLookupsAreBounded(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		end := r.establish()
		go end.answer()
		for range maxLookups {
			go r.LookupHash(r.Context(), i2p.Hash{})
		}
		synctest.Wait()
		if _, err := r.LookupHash(r.Context(), i2p.Hash{}); !errors.Is(err, ErrQueueFull) {
			r.Errorf("one too many: %v", err)
		}
		time.Sleep(lookupTimeout)
		synctest.Wait()
		if n := len(r.current.Load().lookups.waiting); n != 0 {
			r.Errorf("%d lookups are left", n)
		}
	})
}

func TestReconfigure(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		signed, err := BuildSessionConfig(testKeys, testKeys.Destination, i2p.Mapping{"inbound.quantity": "4"}, time.Now())
		if err != nil {
			r.Fatal(err)
		}
		if err := r.Reconfigure(r.Context(), signed); err != ErrNoSession {
			r.Errorf("without a session: %v", err)
		}
		end := r.establish()
		for state, want := range map[SessionState]error{SessionUpdated: nil, SessionInvalid: ErrInvalidSession} {
			result := make(chan error)
			go func() { result <- r.Reconfigure(r.Context(), signed) }()
			m, err := ParseReconfigureSession(end.expect(TypeReconfigureSession))
			if err != nil || m.Session != testSession || string(m.Config) != string(signed) {
				r.Errorf("router got %+v, %v", m, err)
			}
			end.send(SessionStatus{testSession, state})
			if err := <-result; !errors.Is(err, want) {
				r.Errorf("%v: %v", state, err)
			}
		}
		go end.answer()
		start := time.Now()
		if err := r.Reconfigure(r.Context(), signed); !errors.Is(err, ErrUnresponsive) || time.Since(start) != 10*time.Second {
			r.Errorf("no answer: %v after %v", err, time.Since(start))
		}
		end.send(SessionStatus{testSession, SessionUpdated}) // too late, and not for the next
		synctest.Wait()
		if err := r.Reconfigure(r.Context(), signed); !errors.Is(err, ErrUnresponsive) {
			r.Errorf("no answer but to the last: %v", err)
		}
	})
}
