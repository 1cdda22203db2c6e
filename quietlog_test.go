package onelease_test

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/onelease/onelease/backend"
	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/i2cp"
	"github.com/onelease/onelease/i2p/simnet"
	"github.com/onelease/onelease/i2p/streaming"
	"github.com/onelease/onelease/internal/logtest"
)

// TestLogNamesNoRemote runs all parts at debug level, raft's log among it, and has happen
// what is worth a line: streams and datagrams, remotes that cannot be reached, refused
// streams, packets that make no sense, a router and a leader killed. Who a remote is stands
// in the log at debug level, and in no other line. (The other tests of this package want the
// latter too: see inWorld.)
func TestLogNamesNoRemote(t *testing.T) {
	inWorld(t, simnet.Config{Seed: 1}, simnet.I2PD245, func(w *world) {
		w.level = slog.LevelDebug
		runs := &streamRuns{w: w}
		s := w.startSite(runs)
		defer s.stop()
		s.untilListed()
		w.addStreamRemotes(4, w.profile, true)
		for i, remote := range w.remotes[:3] {
			runs.add(remote, i%2 == 1, askersApart*time.Duration(i), 600, 200*time.Millisecond)
		}
		time.Sleep(10 * time.Second)
		w.annoy(w.node.Host(), w.remotes[3])
		s.balancers.Leader().Kill()
		w.network.Router(memberA).Kill()
		time.Sleep(time.Minute)
		w.network.Router(memberB).Kill() // streams have no way left
		time.Sleep(10 * time.Second)
		named := 0
		for _, r := range w.remotes {
			named += len(w.log.Naming(false, logtest.Names(r.Destination())...))
		}
		if named == 0 {
			t.Error("nothing names a remote at debug level: this test would see nothing")
		}
		for _, want := range []string{"component=raft", "part=balancer", "part=frontend", "part=backend", "level=WARN"} {
			if !strings.Contains(w.log.String(), want) {
				t.Errorf("no line with %q in the log: this test would see nothing of it", want)
			}
		}
	})
}

// annoy has remote and h fail each other in as many ways as there are; at the end the remote is
// gone.
func (w *world) annoy(h *backend.Host, remote *simnet.Remote) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.ctx, time.Minute)
	defer cancel()
	hash, us := remote.Destination().Hash(), w.keys.Destination.Hash()
	if c, err := remote.Stack().Dial(ctx, streaming.NewRemote(w.keys.Destination), 0, 9); err == nil { // where nobody listens
		c.Close()
	}
	for _, protocol := range []uint8{i2cp.ProtocolStreaming, i2cp.ProtocolDatagram, 18, 99} {
		if err := remote.Send(us, 1, 2, protocol, []byte("makes no sense")); err != nil {
			w.t.Error(err)
		}
	}
	if c, err := h.DialContext(ctx, "i2p", hash.Base32()+":9"); err == nil {
		c.Close()
		w.t.Error("a stream to where nobody listens")
	}
	remote.Close()
	packets, err := h.ListenPacket(backend.Datagram2, 5)
	if err != nil {
		w.t.Fatal(err)
	}
	defer packets.Close()
	_, _ = packets.WriteTo([]byte("into the void"), &i2p.Addr{Hash: hash, Port: 7}) // it may be lost silently, as any
	if c, err := h.DialContext(ctx, "i2p", hash.Base32()+":80"); err == nil {
		c.Close()
		w.t.Error("a stream to one who is gone")
	}
}
