package simnet_test

import (
	"slices"
	"testing"
	"time"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/i2cp"
	"github.com/onelease/onelease/i2p/simnet"
)

func TestDateLookupAndNames(t *testing.T) {
	inNetwork(t, simnet.I2PD258, func(t *testing.T, n *simnet.Network, r *simnet.Router) {
		remote := n.NewRemote(simnet.RemoteConfig{Published: true})
		time.Sleep(30 * time.Second)
		hash := remote.Destination().Hash()
		n.SetName("echo.i2p", hash)
		c := dial(t, r, newKeys(t))
		c.start()
		c.write(i2cp.GetDate{Version: "0.9.60"}.AppendFrame(nil))
		for i, m := range []i2cp.HostLookup{
			{Kind: i2cp.LookupByHash, Hash: hash},
			{Kind: i2cp.LookupByName, Name: "echo.i2p"},
			{Kind: i2cp.LookupByName, Name: hash.Base32()},
			{Kind: i2cp.LookupByName, Name: "nobody.i2p"},
			{Kind: i2cp.LookupByHash, Hash: i2p.Hash{1}},
		} {
			m.Session, m.Request = i2cp.NoSession, uint32(i)
			c.write(m.AppendFrame(nil))
		}
		time.Sleep(time.Second)
		c.seen(func() {
			if len(c.dates) != 1 || !c.dates[0].Date.Equal(time.Now().Add(-time.Second)) {
				t.Errorf("dates %v", c.dates)
			}
			if len(c.replies) != 5 {
				t.Fatalf("%d replies, want 5", len(c.replies))
			}
			for _, m := range c.replies {
				if found := m.Result == i2cp.HostFound && m.Destination == remote.Destination(); found != (m.Request < 3) {
					t.Errorf("lookup %d: %v", m.Request, m.Result)
				}
			}
		})
	})
}

// i2pd knows no lookups with options, Java does.
func TestLookupWithOptions(t *testing.T) {
	for _, c := range []struct {
		profile                 simnet.Profile
		found, lost, neverHeard i2cp.HostResult
	}{
		{simnet.I2PD258, i2cp.HostFailure, i2cp.HostFailure, i2cp.HostFailure},
		{simnet.JavaI2P, i2cp.HostFound, i2cp.HostNoLeaseSet, i2cp.HostFailure},
	} {
		t.Run(c.profile.Name, func(t *testing.T) {
			inNetwork(t, c.profile, func(t *testing.T, n *simnet.Network, r *simnet.Router) {
				remote := n.NewRemote(simnet.RemoteConfig{Published: true})
				time.Sleep(30 * time.Second)
				n.SetName("echo.i2p", remote.Destination().Hash())
				client := dial(t, r, newKeys(t))
				client.start()
				for i, m := range []i2cp.HostLookup{
					{Kind: i2cp.LookupOptionsByName, Name: "echo.i2p"},
					{Kind: i2cp.LookupOptionsByHash, Hash: i2p.Hash{1}},
					{Kind: i2cp.LookupOptionsByName, Name: "nobody.i2p"},
				} {
					m.Session, m.Request = i2cp.NoSession, uint32(i)
					client.write(m.AppendFrame(nil))
				}
				time.Sleep(time.Second)
				client.seen(func() {
					want := []i2cp.HostResult{c.found, c.lost, c.neverHeard}
					for _, m := range client.replies {
						if m.Result != want[m.Request] || (m.Options != nil) != (m.Result == i2cp.HostFound) {
							t.Errorf("lookup %d: %v, options %v", m.Request, m.Result, m.Options)
						}
					}
					if len(client.replies) != 3 {
						t.Errorf("%d replies, want 3", len(client.replies))
					}
				})
			})
		})
	}
}

func TestStatuses(t *testing.T) {
	inNetwork(t, simnet.I2PD258, func(t *testing.T, n *simnet.Network, r *simnet.Router) {
		remote := n.NewRemote(simnet.RemoteConfig{Published: true})
		c := dial(t, r, newKeys(t))
		c.answerAlone(newX25519())
		c.start()
		c.create(nil)
		c.seen(func() {})
		c.send(remote.Destination(), []byte("early"), 1)
		time.Sleep(30 * time.Second)
		c.send(newKeys(t).Destination, []byte("to nobody"), 2)
		time.Sleep(time.Minute)
		c.send(remote.Destination(), []byte("new session"), 3)
		time.Sleep(time.Second)
		c.send(remote.Destination(), []byte("dropped, awaiting the reply"), 4)
		time.Sleep(time.Second)
		c.send(remote.Destination(), []byte("no status"), 0)
		want := []i2cp.Status{i2cp.StatusNoLocalTunnels, i2cp.StatusAccepted, i2cp.StatusNoLeaseSet,
			i2cp.StatusAccepted, i2cp.StatusHandedOn, i2cp.StatusAccepted, i2cp.StatusHandedOn}
		c.seen(func() {
			if !slices.Equal(c.statuses, want) {
				t.Errorf("statuses %v, want %v", c.statuses, want)
			}
		})
		if s := r.Stats(); s.Lost[simnet.LostAwaitingReply] != 2 {
			t.Errorf("%d dropped while awaiting the reply, want 2", s.Lost[simnet.LostAwaitingReply])
		}
	})
}

func TestReconfigure(t *testing.T) {
	inNetwork(t, simnet.I2PD258, func(t *testing.T, n *simnet.Network, r *simnet.Router) {
		gateway := r.FastTier()[3]
		c := dial(t, r, newKeys(t))
		c.answerAlone(newX25519())
		c.start()
		c.create(i2p.Mapping{"explicitPeers": i2p.Base64.EncodeToString(gateway[:]), "inbound.quantity": "4"})
		time.Sleep(time.Minute)
		c.seen(func() {
			if len(c.requests) != 1 || c.requests[0][0].Gateway != gateway {
				t.Errorf("explicit peer: requests %v", c.requests)
			}
		})
		config, _ := i2cp.BuildSessionConfig(c.keys, c.keys.Destination, i2p.Mapping{"inbound.quantity": "4"}, time.Now())
		c.write(i2cp.ReconfigureSession{Session: c.session(), Config: config}.AppendFrame(nil))
		time.Sleep(16 * time.Second)
		c.seen(func() {
			if last := c.requests[len(c.requests)-1]; len(last) != 4 || last[0].Gateway != gateway {
				t.Errorf("%d leases after Reconfigure, want 4 at the same gateway", len(last))
			}
		})
	})
}
