package cluster_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"math"
	"os"
	"slices"
	"time"

	"github.com/onelease/onelease/balancer"
	"github.com/onelease/onelease/balancer/cluster"
	"github.com/onelease/onelease/balancer/keystore"
	"github.com/onelease/onelease/raftstate"
	"github.com/onelease/onelease/raftstate/ledger"
)

// envNode has this binary be a balancer; it holds a nodeConfig.
const envNode = "ONELEASE_CLUSTER_NODE"

// A nodeConfig is what a balancer's process is told.
type nodeConfig struct {
	Dir, Identity string
	ClockOff      time.Duration
}

// policy is what all balancers go by. The routers of simnet have their tunnels at
// once here, so nobody needs the time that real ones take. Own LeaseSets are
// renewed less often than by default, since each new leader signs one for every
// member, and they must not be dated far ahead of the clock.
var policy = balancer.Policy{HeadStart: 500 * time.Millisecond, OwnRefresh: 25 * time.Second}

// runNode is a balancer: it runs until its standard input ends, and is asked
// for its state there.
func runNode() int {
	var cfg nodeConfig
	if err := json.Unmarshal([]byte(os.Getenv(envNode)), &cfg); err != nil {
		return complain(err)
	}
	secret, err := keystore.IdentityFile(cfg.Identity)
	if err != nil {
		return complain(err)
	}
	node, err := cluster.Start(cluster.Config{
		Dir: cfg.Dir, Secret: secret, Policy: policy,
		Now:    func() time.Time { return time.Now().Add(cfg.ClockOff) },
		Logger: slog.New(slog.NewTextHandler(os.Stderr, nil)),
	})
	if err != nil {
		return complain(err)
	}
	asked := make(chan struct{})
	go func() {
		answer(node)
		close(asked)
	}()
	select {
	case <-asked:
		err = node.Close()
	case <-node.Failed():
		node.Kill()
		err = node.Err()
	}
	return complain(err)
}

func complain(err error) int {
	if err == nil {
		return 0
	}
	fmt.Fprintln(os.Stderr, "balancer:", err)
	return 1
}

// A question to a balancer's process.
type question struct {
	ID int
	// Barrier wants what was committed before, by any leader; only the leader can.
	Barrier bool
	// Witness has it commit an invite of that ID first, for the role that only
	// the newer format has.
	Witness string
}

// A nodeState is its answer: what the balancer's copy of the state has.
type nodeState struct {
	ID    int
	Error string

	Leads                         bool // and is in office
	Leader                        string
	Written                       uint32 // the newest format that it has applied
	Generation, LastSeq, LastTerm uint64
	LastPublished                 uint32
	DrainLimit                    time.Duration // of the policy
	Invites, Delegations          []string
	Drained                       []string // frontends
}

// answer answers questions until there are no more.
func answer(node *cluster.Node) {
	questions, answers := bufio.NewScanner(os.Stdin), json.NewEncoder(os.Stdout)
	for questions.Scan() {
		var q question
		if json.Unmarshal(questions.Bytes(), &q) != nil {
			return
		}
		if answers.Encode(look(node, q)) != nil {
			return
		}
	}
}

func look(node *cluster.Node, q question) nodeState {
	a := nodeState{ID: q.ID, Leader: node.Store().Leader().ID}
	if err := prepare(node.Store(), q); err != nil {
		a.Error = err.Error()
		return a
	}
	if b := node.Balancer(); b != nil {
		a.Leads = b.Status().GetLeader()
	}
	a.fill(node.Store())
	return a
}

// prepare does what a question wants before it is answered.
func prepare(store *raftstate.Store, q question) (err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	switch {
	case q.Witness != "":
		invite := ledger.Invite{ID: q.Witness, Role: "witness", Expires: math.MaxUint32}
		_, err = store.Apply(ctx, ledger.PutInvite(invite, time.Now()))
	case q.Barrier:
		err = store.Barrier(ctx)
	}
	return err
}

func (a *nodeState) fill(store *raftstate.Store) {
	state := store.State()
	a.Written, a.Generation = state.Version, state.Generation
	a.Invites = slices.Sorted(maps.Keys(state.Invites))
	for name, f := range state.Frontends {
		if f.Roles == (ledger.Roles{}) {
			a.Drained = append(a.Drained, name)
		}
	}
	for _, d := range state.Destinations { // there is one
		a.LastSeq, a.LastTerm, a.LastPublished = d.LastSeq, d.LastTerm, d.LastPublished
		a.Delegations = slices.Sorted(maps.Keys(d.Delegations))
		if d.Policy != nil {
			a.DrainLimit = d.Policy.DrainLimit
		}
	}
}
