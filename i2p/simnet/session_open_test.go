package simnet_test

import (
	"context"
	"errors"
	"io"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/onelease/onelease/i2p/i2cp"
	"github.com/onelease/onelease/i2p/simnet"
)

func TestCreateSession(t *testing.T) {
	inNetwork(t, simnet.I2PD258, func(t *testing.T, n *simnet.Network, r *simnet.Router) {
		keys := newKeys(t)
		first := open(t, r, keys, nil)
		synctest.Wait()
		second := open(t, r, keys, nil)
		first.create(nil)
		forged := dial(t, r, newKeys(t))
		forged.start()
		config, _ := i2cp.BuildSessionConfig(forged.keys, forged.keys.Destination, nil, time.Now())
		config[len(config)-1] ^= 1
		forged.write(i2cp.AppendCreateSession(nil, config))
		for _, want := range []struct {
			c      *testClient
			states []i2cp.SessionState
		}{
			{first, []i2cp.SessionState{i2cp.SessionCreated, i2cp.SessionRefused}},
			{second, []i2cp.SessionState{i2cp.SessionInvalid}},
			{forged, []i2cp.SessionState{i2cp.SessionInvalid}},
		} {
			want.c.seen(func() {
				if len(want.c.states) != len(want.states) || want.c.states[len(want.states)-1] != want.states[len(want.states)-1] {
					t.Errorf("session states %v, want %v", want.c.states, want.states)
				}
			})
		}
	})
}

func TestJavaChecksDate(t *testing.T) {
	inNetwork(t, simnet.JavaI2P, func(t *testing.T, n *simnet.Network, r *simnet.Router) {
		for off, want := range map[time.Duration]i2cp.SessionState{2 * time.Minute: i2cp.SessionCreated, 4 * time.Minute: i2cp.SessionInvalid} {
			c := dial(t, r, newKeys(t))
			c.start()
			config, _ := i2cp.BuildSessionConfig(c.keys, c.keys.Destination, nil, time.Now().Add(off))
			c.write(i2cp.AppendCreateSession(nil, config))
			c.seen(func() {
				if len(c.states) != 1 || c.states[0] != want {
					t.Errorf("date off by %v: %v, want %v", off, c.states, want)
				}
			})
		}
	})
}

func TestMalformedEndsOnlyItsSession(t *testing.T) {
	inNetwork(t, simnet.I2PD258, func(t *testing.T, n *simnet.Network, r *simnet.Router) {
		good := dial(t, r, newKeys(t))
		good.answerAlone(newX25519())
		good.start()
		good.create(nil)
		for name, bad := range map[string][]byte{
			"frame too big":     {0, 1, 0, 0, 5},
			"short SendMessage": {0, 0, 0, 3, 5, 1, 2, 3},
			"short HostLookup":  {0, 0, 0, 1, 38, 1},
			"short Reconfigure": {0, 0, 0, 1, 2, 1},
		} {
			c := dial(t, r, newKeys(t))
			c.start()
			c.write(bad, nil)
			c.seen(func() {
				if !errors.Is(c.ended, io.EOF) {
					t.Errorf("%s: connection ended with %v, want EOF", name, c.ended)
				}
			})
		}
		time.Sleep(time.Minute)
		good.seen(func() {
			if good.ended != nil {
				t.Errorf("the good session ended: %v", good.ended)
			}
		})
	})
}

func TestDestroySession(t *testing.T) {
	inNetwork(t, simnet.I2PD258, func(t *testing.T, n *simnet.Network, r *simnet.Router) {
		keys := newKeys(t)
		c := open(t, r, keys, nil)
		c.seen(func() {})
		c.write(i2cp.DestroySession{Session: c.session()}.AppendFrame(nil))
		c.seen(func() {
			if len(c.states) != 2 || c.states[1] != i2cp.SessionDestroyed || !errors.Is(c.ended, io.EOF) {
				t.Errorf("states %v, ended %v", c.states, c.ended)
			}
		})
		again := open(t, r, keys, nil)
		again.seen(func() {
			if len(again.states) != 1 || again.states[0] != i2cp.SessionCreated {
				t.Errorf("the same Destination again: %v", again.states)
			}
		})
	})
}

func TestDialFails(t *testing.T) {
	inNetwork(t, simnet.I2PD258, func(t *testing.T, n *simnet.Network, r *simnet.Router) {
		r.Kill()
		if _, err := r.DialI2CP(context.Background()); !errors.Is(err, simnet.ErrRouterDown) || !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("dial a killed router: %v", err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		if _, err := r.DialI2CP(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("dial with an ended context: %v", err)
		}
	})
}
