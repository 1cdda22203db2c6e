package cluster_test

import (
	"context"
	"fmt"
	"time"

	"github.com/onelease/onelease/balancer/cluster"
	"github.com/onelease/onelease/balancer/cluster/clusterpb"
	"github.com/onelease/onelease/balancer/keystore"
	"github.com/onelease/onelease/internal/pki"
)

// formTime is how long something may take that balancers have to agree on.
const formTime = time.Minute

// form makes the cluster: the first balancer by Init, the others by invitation.
func (w *world) form(identity string) {
	w.t.Helper()
	secret, err := keystore.IdentityFile(identity)
	if err != nil {
		w.t.Fatal(err)
	}
	first := w.balancers[0]
	err = cluster.Init(cluster.InitConfig{
		Dir: first.cfg.Dir, ID: first.name, Address: w.addresses()[0], Keys: w.keys, Secret: secret,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { w.each((*process).kill) })
	first.start()
	w.leader()
	for _, p := range w.balancers[1:] {
		w.join(pki.Balancer, p.name)
		p.start()
		w.until(formTime, p.name+" has a vote", func() bool { return w.votes(p.name) })
	}
	w.join(pki.Operator, operator)
}

func (w *world) addresses() []string {
	var addrs []string
	for _, p := range w.balancers {
		addrs = append(addrs, p.ground.address(p.number))
	}
	return addrs
}

// leader waits for a balancer that leads and is in office.
func (w *world) leader() *process {
	w.t.Helper()
	var leader *process
	w.until(formTime, "a balancer leads", func() bool {
		leader = w.leads()
		return leader != nil
	})
	return leader
}

// askTime is how long a balancer that runs may take to answer a question.
const askTime = time.Second

// leads is the balancer that says it leads, in the latest term if there are two.
func (w *world) leads() (leader *process) {
	for _, p := range w.balancers {
		if a, err := p.ask(false, askTime); err == nil && a.Leads {
			leader = p
		}
	}
	return leader
}

// others are the balancers but for p.
func (w *world) others(p *process) (others []*process) {
	for _, o := range w.balancers {
		if o != p {
			others = append(others, o)
		}
	}
	return others
}

// votes reports whether the cluster counts that balancer's vote.
func (w *world) votes(name string) bool {
	reply, err := w.askMembers()
	for _, m := range reply.GetMembers() {
		if err == nil && m.GetId() == name {
			return m.GetVoter()
		}
	}
	return false
}

// askMembers asks the leader who the balancers are.
func (w *world) askMembers() (reply *clusterpb.MembersReply, err error) {
	err = w.withLeader(func(ctx context.Context, leader *cluster.Conn) (err error) {
		reply, err = leader.Members(ctx, &clusterpb.MembersRequest{})
		return err
	})
	return reply, err
}

// withLeader connects to the leader, once, as an operator.
func (w *world) withLeader(do func(ctx context.Context, leader *cluster.Conn) error) error {
	leader := w.leads()
	if leader == nil {
		return cluster.ErrNoLeader
	}
	return w.withBalancer(leader, do)
}

func (w *world) withBalancer(p *process, do func(ctx context.Context, b *cluster.Conn) error) error {
	ctx, cancel := context.WithTimeout(w.t.Context(), 5*time.Second)
	defer cancel()
	client, err := w.client(ctx)
	if err != nil {
		return err
	}
	conn, err := client.To(p.ground.address(p.number))
	if err != nil {
		return err
	}
	defer conn.Close()
	return do(ctx, conn)
}

// client has the operator's certificate, or until there is one what the first balancer
// gives who sits at its machine.
func (w *world) client(ctx context.Context) (*cluster.Client, error) {
	if client, err := cluster.NewClient(w.dirOf(operator), w.addresses()...); err == nil {
		return client, nil
	}
	client, err := cluster.NewClient(w.balancers[0].cfg.Dir, w.addresses()...)
	if err != nil {
		return nil, err
	}
	return client.Commander(ctx)
}

// join has a node join by an invitation. The leader may change meanwhile.
func (w *world) join(role pki.Role, name string) {
	w.t.Helper()
	var err error
	tried := func() bool {
		err = w.tryJoin(role, name)
		return err == nil
	}
	w.until(formTime, fmt.Sprintf("%s %s joins", role, name), tried)
}

func (w *world) tryJoin(role pki.Role, name string) error {
	var token *pki.Token
	err := w.withLeader(func(ctx context.Context, leader *cluster.Conn) error {
		reply, err := leader.Invite(ctx, &clusterpb.InviteRequest{Role: string(role), Name: name})
		if err != nil {
			return err
		}
		token, err = pki.ParseToken(reply.GetToken())
		return err
	})
	if err != nil {
		return err
	}
	c := cluster.JoinConfig{Dir: w.dirOf(name), Token: token}
	for _, p := range w.balancers {
		if role == pki.Balancer && p.name == name {
			c.Address = p.ground.address(p.number)
		}
	}
	ctx, cancel := context.WithTimeout(w.t.Context(), 10*time.Second)
	defer cancel()
	return cluster.Join(ctx, c)
}
