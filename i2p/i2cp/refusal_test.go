package i2cp

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/onelease/onelease/i2p"
)

func TestUnreachable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var waits []time.Duration
		last := time.Now()
		r := newRig(t, func(c *Config) {
			c.Dial = func(context.Context) (net.Conn, error) {
				waits = append(waits, time.Since(last))
				last = time.Now()
				return nil, errors.New("connection refused")
			}
		})
		time.Sleep(5 * time.Minute)
		err := next[down](r).err
		if !errors.Is(err, ErrUnreachable) || !strings.Contains(err.Error(), "router.test:7654") || !strings.Contains(err.Error(), "I2CP is enabled") {
			t.Errorf("error %q", err)
		}
		r.stop()
		limit := 500 * time.Millisecond
		for i, wait := range waits[1:] {
			if wait < limit/2 || wait > limit {
				t.Errorf("wait %d is %v, want %v to %v", i, wait, limit/2, limit)
			}
			limit = min(2*limit, 30*time.Second)
		}
		if len(waits) < 15 {
			t.Errorf("%d attempts in 5 minutes", len(waits))
		}
	})
}

func TestReconnect(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		for range 3 {
			end := r.establish()
			end.conn.Close()
			if err := next[down](r).err; !errors.Is(err, ErrDisconnected) {
				r.Errorf("down with %v", err)
			}
		}
		if n := r.Stats().Sessions; n != 3 {
			r.Errorf("%d sessions", n)
		}
	})
}

// refusals are what a router may do in place of making a session.
var refusals = []struct {
	name  string
	act   func(*routerEnd)
	want  error
	final bool
}{
	{"closes", func(e *routerEnd) { e.conn.Close() }, ErrDisconnected, false},
	{"is silent", func(e *routerEnd) { e.discard() }, ErrUnresponsive, false},
	{"speaks HTTP", func(e *routerEnd) { e.expect(TypeGetDate); e.conn.Write([]byte("HTTP/1.1 400")) }, ErrTooBig, false},
	{"invalid", func(e *routerEnd) { e.greet(); e.send(SessionStatus{0, SessionInvalid}) }, ErrInvalidSession, true},
	{"refused", func(e *routerEnd) { e.greet(); e.send(SessionStatus{0, SessionRefused}) }, ErrRefused, false},
	{"odd", func(e *routerEnd) { e.greet(); e.send(SessionStatus{0, SessionUpdated}) }, ErrProtocol, false},
	{"bad password", func(e *routerEnd) {
		e.expect(TypeGetDate)
		e.send(Disconnect{"Authorization failed, user = x"})
	}, ErrUnauthorized, true},
	{"duplicate", func(e *routerEnd) { e.greet(); e.send(Disconnect{"Duplicate destination"}) }, ErrInvalidSession, true},
	{"crowded", func(e *routerEnd) { e.greet(); e.send(Disconnect{"Session limit exceeded"}) }, ErrRefused, false},
	{"shutting down", func(e *routerEnd) { e.greet(); e.send(Disconnect{"Router shutdown"}) }, ErrDisconnected, false},
}

func TestRefusals(t *testing.T) {
	for _, c := range refusals {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, nil, func(r *rig) {
				end := r.accept()
				go func() { c.act(end); end.discard() }()
				if err := next[down](r).err; !errors.Is(err, c.want) {
					r.Errorf("down with %v, want %v", err, c.want)
				}
				if !c.final {
					r.establish()
					return
				}
				err := <-r.done
				if !errors.Is(err, c.want) {
					r.Errorf("Run returned %v", err)
				}
				r.done <- err
			})
		})
	}
}

// A router that has not noticed the end of our last connection calls the next
// session a duplicate. That passes.
func TestRetriesInvalidAfterSuccess(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		r.establish().conn.Close()
		next[down](r)
		end := r.accept()
		end.greet()
		end.send(SessionStatus{0, SessionInvalid})
		if err := next[down](r).err; !errors.Is(err, ErrInvalidSession) {
			r.Errorf("down with %v", err)
		}
		r.establish()
	})
}

func TestCredentials(t *testing.T) {
	bubble(t, func(c *Config) { c.User, c.Password = "user", "secret" }, func(r *rig) {
		end := r.accept()
		m, err := ParseGetDate(end.expect(TypeGetDate))
		if err != nil || m.Version != Version || m.Options["i2cp.username"] != "user" || m.Options["i2cp.password"] != "secret" {
			r.Errorf("router got %+v, %v", m, err)
		}
		end.conn.Close()
		if err := next[down](r).err; strings.Contains(err.Error(), "secret") {
			r.Errorf("error tells the password: %v", err)
		}
	})
}

func TestSendRefusals(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		end := r.establish()
		go end.discard()
		if err := r.Send(testKeys.Destination, 0, 0, ProtocolRaw, make([]byte, MaxData+1), SendOptions{}); !errors.Is(err, ErrTooBig) {
			r.Errorf("too big: %v", err)
		}
		if err := r.Send(testKeys.Destination, 0, 0, ProtocolRaw, make([]byte, MaxData), SendOptions{}); err != nil {
			r.Errorf("as big as can be: %v", err)
		}
		if err := r.Send(i2p.Destination{}, 0, 0, ProtocolRaw, nil, SendOptions{}); !errors.Is(err, i2p.ErrInvalid) {
			r.Errorf("to nobody: %v", err)
		}
	})
}

// What a hostile or future router may send is counted and does no harm, until
// it breaks the framing.
func TestStrangeFrames(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		end := r.establish()
		go end.discard()
		good := AppendPayload(nil, 1, 2, ProtocolRaw, []byte("x"))
		end.conn.Write([]byte{0, 0, 0, 1, 200, 9})                        // unknown type
		end.send(MessagePayload{testSession + 1, 1, good})                // another session
		end.send(SessionStatus{testSession, SessionCreated})              // once more
		end.send(MessagePayload{testSession, 1, good[:20]})               // cut short
		end.conn.Write([]byte{0, 0, 0, 1, byte(TypeMessagePayload), 0})   // cut shorter
		end.conn.Write([]byte{0, 0, 0, 0, byte(TypeSessionStatus)})       // empty
		end.send(HostReply{Session: testSession, Request: 99, Result: 1}) // nobody asked
		end.send(SessionStatus{testSession, SessionInvalid})              // nobody asked
		end.send(MessagePayload{testSession, 1, good})
		next[Payload](r)
		if s := r.Stats(); s.Ignored != 3 || s.Malformed != 3 || s.Received != 1 {
			r.Errorf("stats %+v", s)
		}
		end.conn.Write([]byte{0xff, 0, 0, 0, 1})
		if err := next[down](r).err; !errors.Is(err, ErrTooBig) {
			r.Errorf("down with %v", err)
		}
	})
}
