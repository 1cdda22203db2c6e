package demo

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/onelease/onelease/internal/admin"
	"github.com/onelease/onelease/internal/samd"
	"github.com/onelease/onelease/internal/way"
	"github.com/onelease/onelease/test/embedded"
)

// Names are the host names of the network that a SAM bridge is tried on: those that
// examples and tests of SAM libraries ask for.
var Names = []string{"zzz.i2p", "i2p-projekt.i2p", "idk.i2p"}

// A SAMConfig is a SAM bridge on an embedded network. Check it before RunSAM.
type SAMConfig struct {
	Routers int    // members; the publisher comes on top
	Listen  string // for SAM clients
	UDP     string // for datagrams, or samd.NoUDP
	// Admin is where it can be watched, if anywhere.
	Admin string
	Seed  uint64
	// KillEvery is how often a member is killed, each in its turn; 0 is never.
	KillEvery time.Duration
	Logger    *slog.Logger
	// Ready is told where the bridge listens, and the b32 addresses of Names.
	Ready    func(sam []string, udp string, names map[string]string) error
	Progress io.Writer // what is going on meanwhile
}

// leastKill is the least KillEvery: a router that is back needs some time until its
// tunnels are there.
const leastKill = 10 * time.Second

// Check says which setting cannot work.
func (c SAMConfig) Check() error {
	switch {
	case c.Routers < 1 || c.Routers > 100:
		return fmt.Errorf("--routers %d: want 1 to 100", c.Routers)
	case !way.Loopback(c.Listen):
		return fmt.Errorf("--sam %s is not on the loopback: this network is for this machine only; use 127.0.0.1:7656", c.Listen)
	case c.KillEvery != 0 && c.KillEvery < leastKill:
		return fmt.Errorf("--kill-every %v: want %v or more", c.KillEvery, leastKill)
	case c.KillEvery != 0 && c.Routers < 2:
		return fmt.Errorf("--kill-every with one router: nobody would serve meanwhile; give --routers 2")
	}
	return nil
}

// RunSAM serves until ctx ends.
func RunSAM(ctx context.Context, c SAMConfig) error {
	network := embedded.Start(embedded.Config{Members: c.Routers, Seed: c.Seed, Names: Names})
	defer network.Close()
	bridge, err := samd.New(samd.Config{
		Apart:    true, // there would be nothing to see of the routers
		Embedded: network.Routers(), Listen: []string{c.Listen}, UDP: c.UDP, Logger: c.Logger,
		Address: admin.Address{Admin: c.Admin},
	})
	if err != nil {
		return err
	}
	names := map[string]string{}
	for _, name := range Names {
		if hash, ok := network.Resolve(name); ok {
			names[name] = hash.Base32()
		}
	}
	if err := c.Ready(bridge.Addrs(), bridge.UDPAddr(), names); err != nil {
		bridge.Close()
		return err
	}
	if c.KillEvery > 0 {
		go c.strike(ctx, network)
	}
	return bridge.Run(ctx)
}

// strike kills one member after the other, and starts each again at half time.
func (c SAMConfig) strike(ctx context.Context, network *embedded.Network) {
	for i := 0; rest(ctx, c.KillEvery/2); i++ {
		name := fmt.Sprintf("member-%d", i%c.Routers+1)
		// Stock routers let nobody take over a session that is younger than this.
		network.AgeSessions(3 * time.Minute)
		network.Router(name).Kill()
		fmt.Fprintf(c.Progress, "killed %s\n", name)
		if !rest(ctx, c.KillEvery-c.KillEvery/2) {
			return
		}
		network.Router(name).Restart()
		fmt.Fprintf(c.Progress, "%s is back\n", name)
	}
}
