package cluster

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/onelease/onelease/balancer/cluster/clusterpb"
)

const (
	// leaderTime is how long AwaitLeader waits while none leads: an election
	// takes half a second with the LAN preset, and some seconds with WAN.
	leaderTime = 6 * time.Second
	// askAgain is between two rounds of questions.
	askAgain = 100 * time.Millisecond
)

// AwaitLeader connects to the balancer that leads, and is sure of it: it asks
// on while an election is under way or the leader that others name is gone. The
// error is ErrNoLeader, with what the last try came to, or says why no balancer
// answers at all.
func (c *Client) AwaitLeader(ctx context.Context) (*Conn, error) {
	waiting, cancel := context.WithTimeout(ctx, leaderTime)
	defer cancel()
	ticker := time.NewTicker(askAgain)
	defer ticker.Stop()
	var last error
	for {
		conn, err := c.surely(waiting)
		if err == nil || waiting.Err() == nil && !errors.Is(err, ErrNoLeader) {
			return conn, err
		}
		if waiting.Err() != nil {
			return nil, cmp.Or(last, err)
		}
		last = err
		select {
		case <-ticker.C:
		case <-waiting.Done():
		}
	}
}

// surely connects to the leader and has it say that it leads.
func (c *Client) surely(ctx context.Context) (*Conn, error) {
	conn, err := c.Leader(ctx)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	reply, err := conn.Members(ctx, &clusterpb.MembersRequest{})
	if err == nil && reply.GetSelf() == reply.GetLeader() {
		return conn, nil
	}
	conn.Close()
	if err != nil {
		return nil, fmt.Errorf("%w: %s is said to, and does not answer: %w", ErrNoLeader, conn.addr, plain(err))
	}
	return nil, fmt.Errorf("%w: %s is said to, and does not", ErrNoLeader, conn.addr)
}

// words are gRPC's of a connection that failed without its wrapping.
func words(message string) string {
	if inner, ok := strings.CutPrefix(message, `connection error: desc = "transport: `); ok {
		message = strings.TrimSuffix(inner, `"`)
	}
	return strings.TrimPrefix(message, "Error while dialing: ")
}
