package sambridge

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"runtime"

	"github.com/onelease/onelease"
	"github.com/onelease/onelease/frontend"
	"github.com/onelease/onelease/plugins/sambridge"
)

// envBridge has what a bridge in a process of its own is made of, a processConfig.
const envBridge = "ONELEASE_TEST_SAMBRIDGE"

// A processConfig says what the process serves, on the loopback.
type processConfig struct {
	Routers []processRouter
	// Users are names and passwords. Nobody has to say who he is.
	Users [][2]string
	// Limits are the bridge's.
	Limits sambridge.Limits
}

// A processRouter is one on the embedded network, which is in the other process.
type processRouter struct {
	Name, Addr        string
	Member, Publisher bool
	DontPublish       frontend.Quirk
}

// A processAddrs is the first that the process says: where it listens.
type processAddrs struct{ SAM, UDP string }

// bridgeMain is the process: a bridge with all that is under it, and nothing else, so
// that its memory is theirs. It ends with its standard input, and answers each line there
// with a memory.
func bridgeMain(text string) int {
	runtime.MemProfileRate = profileRate
	if err := runProcess(text); err != nil {
		fmt.Fprintln(os.Stderr, "bridge:", err)
		return 1
	}
	return 0
}

func runProcess(text string) error {
	var cfg processConfig
	if err := json.Unmarshal([]byte(text), &cfg); err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	hosting, err := onelease.NewHosting(onelease.HostingConfig{Routers: cfg.routers(), Policy: policy(), Logger: log})
	if err != nil {
		return err
	}
	defer hosting.Close()
	serving, err := cfg.listen(hosting)
	if err != nil {
		return err
	}
	serving.Logger = log
	bridge, err := sambridge.New(*serving)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- bridge.Run(ctx) }()
	out := json.NewEncoder(os.Stdout)
	_ = out.Encode(processAddrs{serving.Listeners[0].Addr().String(), serving.Packets.LocalAddr().String()})
	answer(os.Stdin, out)
	cancel()
	return <-ended
}

// answer answers lines until there are no more.
func answer(in io.Reader, out *json.Encoder) {
	for lines := bufio.NewScanner(in); lines.Scan(); {
		if out.Encode(measure()) != nil {
			return
		}
	}
}

func (c processConfig) routers() (routers []onelease.Router) {
	for _, r := range c.Routers {
		routers = append(routers, onelease.Router{
			Name: r.Name, Addr: r.Addr, Member: r.Member, Publisher: r.Publisher, DontPublish: r.DontPublish, Embedded: true,
		})
	}
	return routers
}

func (c processConfig) listen(hosting *onelease.Hosting) (*sambridge.Config, error) {
	users := &sambridge.Users{}
	for _, u := range c.Users {
		if err := users.Add(u[0], u[1]); err != nil {
			return nil, err
		}
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	packets, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	return &sambridge.Config{Hosting: hosting, Listeners: []net.Listener{ln}, Packets: packets, Users: users, Limits: c.Limits}, nil
}
