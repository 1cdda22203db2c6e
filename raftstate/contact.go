package raftstate

import (
	"sync"
	"time"

	"github.com/hashicorp/raft"
)

// A contact is what a Transport knows of another node.
type contact struct {
	// version is the highest that it reads, as of the last connection.
	version uint32
	// heard is when it last answered a leader, which this node was then, and
	// lastLog the end of its log at that time.
	heard   time.Time
	lastLog uint64
}

// contacts by node ID.
type contacts struct {
	mu sync.Mutex
	of map[string]contact
}

func (c *contacts) get(id string) contact {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.of[id]
}

func (c *contacts) update(id string, change func(*contact)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.of == nil {
		c.of = map[string]contact{}
	}
	contact := c.of[id]
	change(&contact)
	c.of[id] = contact
}

// answered notes what a follower has answered to a leader. The LastLog of an
// answer is from before the request.
func (c *contacts) answered(id raft.ServerID, args *raft.AppendEntriesRequest, resp *raft.AppendEntriesResponse) {
	last := resp.LastLog
	if n := len(args.Entries); n > 0 && resp.Success {
		last = args.Entries[n-1].Index
	}
	c.update(string(id), func(to *contact) { to.heard, to.lastLog = time.Now(), last })
}
