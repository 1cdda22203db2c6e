package raftstate

import (
	"fmt"
	"sync"
	"testing"
	"time"
)

const testCluster = "test-cluster"

// A node can be killed and started again on what it had written.
type node struct {
	config    Config
	transport TransportConfig // without Listener and Dial
	files     *files
	store     *Store // nil while it is down
}

// cluster is nodes over a network in memory.
type cluster struct {
	t       testing.TB
	network *network
	nodes   []*node
	dirs    bool // nodes that are added have directories

	mu sync.Mutex // of the nodes' stores, which kill and start change
}

func nodeID(i int) string   { return fmt.Sprint("node-", i) }
func nodeAddr(i int) string { return fmt.Sprintf("node-%d:7650", i) }

// newCluster starts n nodes, the first of which has added the others as voters.
func newCluster(t testing.TB, n int) *cluster {
	t.Helper()
	c := &cluster{t: t, network: newNetwork()}
	c.grow(n, 0)
	return c
}

// grow starts the first n nodes, which read up to maxVersion.
func (c *cluster) grow(n int, maxVersion uint32) {
	t := c.t
	t.Helper()
	for i := range n {
		c.add(i == 0, maxVersion)
		if i == 0 {
			waitLeader(t, c.nodes[0].store)
			continue
		}
		if err := c.nodes[0].store.AddMember(t.Context(), nodeID(i), nodeAddr(i), true); err != nil {
			t.Fatal(err)
		}
	}
}

// add makes and starts a node that is no member yet.
func (c *cluster) add(bootstrap bool, maxVersion uint32) *node {
	c.t.Helper()
	i := len(c.nodes)
	n := &node{
		config:    Config{ID: nodeID(i), InMemory: true, Bootstrap: bootstrap, MaxVersion: maxVersion, Logger: quiet},
		transport: TransportConfig{ID: nodeID(i), Cluster: testCluster, Advertise: nodeAddr(i), Logger: quiet},
	}
	if c.dirs {
		n.config.InMemory, n.config.Dir = false, c.t.TempDir()
	}
	c.nodes = append(c.nodes, n)
	if err := c.start(i); err != nil {
		c.t.Fatal(err)
	}
	return n
}

// start starts a node, on its files if it has any.
func (c *cluster) start(i int) error {
	n := c.nodes[i]
	tc := n.transport
	tc.MaxVersion = n.config.MaxVersion
	tc.Listener, tc.Dial = c.network.listen(tc.Advertise), c.network.dialer(tc.Advertise)
	transport, err := NewTransport(tc)
	if err != nil {
		return err
	}
	config := n.config
	config.Transport = transport
	store, err := n.open(config)
	if err != nil {
		transport.Close()
		return err
	}
	c.mu.Lock()
	n.store = store
	c.mu.Unlock()
	return nil
}

// open is Open with files that outlive the Store.
func (n *node) open(c Config) (*Store, error) {
	if !c.InMemory {
		return Open(c)
	}
	if err := c.validate(); err != nil {
		return nil, err
	}
	logger := newRaftLogger(c.Logger)
	if n.files == nil {
		n.files, _ = c.openFiles(logger)
	}
	return c.start(n.files, logger)
}

// kill ends a node without a word to the others.
func (c *cluster) kill(i int) {
	c.mu.Lock()
	store := c.nodes[i].store
	c.nodes[i].store = nil
	c.mu.Unlock()
	store.Close()
}

func (c *cluster) close() {
	for i, n := range c.nodes {
		if n.store != nil {
			c.kill(i)
		}
	}
}

// isolate cuts all links of a node, or mends them.
func (c *cluster) isolate(i int, cut bool) {
	for j := range c.nodes {
		c.network.set(cut, nodeAddr(i), nodeAddr(j))
		c.network.set(cut, nodeAddr(j), nodeAddr(i))
	}
}

// leader waits for a leader other than not.
func (c *cluster) leader(not int) int {
	c.t.Helper()
	for range 6000 {
		for i, n := range c.nodes {
			if i != not && n.store != nil && n.store.Leader().Self {
				return i
			}
		}
		time.Sleep(10 * time.Millisecond) // of the bubble
	}
	c.t.Fatal("no leader after a minute")
	return 0
}

// settle waits, in the bubble, until all nodes have what is committed.
func (c *cluster) settle() { time.Sleep(20 * time.Second) }
