package test

import (
	"context"
	"encoding/json"
	"os"
	"strings"
	"time"

	"github.com/onelease/onelease/test/i2pd/samclient"
)

// startCluster starts a balancer, and frontends beside both members: nobody publishes yet.
func (o *operator) startCluster() {
	o.t.Helper()
	if err := os.WriteFile(o.path("identity"), []byte(ageIdentity), 0o600); err != nil {
		o.t.Fatal(err)
	}
	sealed := []string{"--dir", o.path("b1"), "--identity-file", o.path("identity")}
	o.must("", append([]string{"cluster", "init", "--name", "b1", "--address", freeAddr(o.t), "--keys", o.path("site.dat")}, sealed...)...)
	o.start(append([]string{"balancer"}, sealed...)...)
	o.until(20*time.Second, "a balancer that leads", func() bool { return o.run("cluster", "status", "--dir", o.path("b1")).code == 0 })
	for _, name := range []string{"a", "b", "c"} {
		token := o.must("", "cluster", "invite", "--dir", o.path("b1"), "--role", "frontend", "--name", name)
		o.must(token, "cluster", "join", "--dir", o.path(name))
	}
	o.startFrontends(o.right(), "a", "b")
}

// ageIdentity seals keys in no time, unlike a passphrase.
const ageIdentity = "AGE-SECRET-KEY-184JMZMVQH3E6U0PSL869004Y3U2NYV7R30EU99CSEDNPH02YUVFSZW44VU\n"

// startFrontends starts them, told that routers read the option not to publish like that.
func (o *operator) startFrontends(quirk string, names ...string) {
	o.t.Helper()
	for _, name := range names {
		number := map[string]int{"a": operatorMember, "b": operatorOther, "c": operatorPublish}[name]
		role := map[bool]string{true: "--publisher", false: "--member"}[name == "c"]
		o.frontends[name] = o.start("frontend", "--dir", o.path(name), "--router", o.net.Router(number).I2CPAddr(), role, "--dont-publish", quirk)
	}
}

func (o *operator) startPublisher() { o.startFrontends(o.right(), "c") }

// running asks doctor about the cluster, by the balancer's directory.
func (o *operator) running(args ...string) *diagnosis {
	o.t.Helper()
	return o.doctor(append([]string{"--quick", "--running", "--dir=" + o.path("b1")}, args...)...)
}

// checkNoPublisher has members that are well, and nobody who publishes.
func (o *operator) checkNoPublisher() {
	var d *diagnosis
	o.until(time.Minute, "two members", func() bool {
		d = o.running(o.router("a", operatorMember, "member"))
		return !d.has("frontend-away", "a") && !d.has("frontend-away", "b")
	})
	d.want("no-publisher", "", "Give one the role publisher")
	d.want("netdb-nothing", "a", "see that a publisher has its session")
}

// checkRunning waits until nothing is wrong, and wants it all checked.
func (o *operator) checkRunning() {
	args := append(o.consoles(), o.routers(o.right())...)
	var d *diagnosis
	o.until(90*time.Second, "a LeaseSet of both members in the netDB", func() bool {
		d = o.running(args...)
		return d.Failed == 0 && d.made("leases")
	})
	d.wantWell("node", "certificate", "files", "disk", "cluster", "roles", "router", "clock", "session", "netdb", "leases", "duplicate", "ports")
}

// A lookup is what the command found, in short.
type lookup struct {
	Routers    []struct{ Result string }
	Floodfills []struct {
		LeaseSet *struct{ Leases []struct{ Frontend string } }
	}
	Cluster struct {
		Ours    bool
		Strange int
	}
}

func (o *operator) lookup(want int, args ...string) (l lookup) {
	o.t.Helper()
	r := o.run(append([]string{"lookup", "--json"}, args...)...)
	if err := json.Unmarshal([]byte(r.out), &l); err != nil || r.code != want {
		o.t.Errorf("lookup %s: exit code %d, want %d, %v: %s%s", strings.Join(args, " "), r.code, want, err, r.out, r.said)
	}
	o.t.Logf("lookup of %s: exit code %d after %.1f s", args[0], r.code, r.took.Seconds())
	return l
}

// checkLookup asks for ours, by a router of the setup and by one that has nothing to do with
// it: the leases are those of both members.
func (o *operator) checkLookup() {
	args := append(o.consoles(), "--dir="+o.path("b1"), "--router="+o.net.Router(operatorMember).I2CPAddr(), "--router="+o.net.Router(portsRouter).I2CPAddr())
	l := o.lookup(0, append([]string{o.site.Destination.Base32()}, args...)...)
	owners := map[string]int{}
	for _, f := range l.Floodfills {
		if f.LeaseSet == nil {
			continue
		}
		for _, lease := range f.LeaseSet.Leases {
			owners[lease.Frontend]++
		}
	}
	if l.Routers[0].Result != "found" || l.Routers[1].Result != "found" || !l.Cluster.Ours || l.Cluster.Strange > 0 || owners["a"] == 0 || owners["b"] == 0 || len(owners) != 2 {
		o.t.Errorf("%+v, leases of %v", l, owners)
	}
}

// checkLookupNothing asks for who is nowhere, and for a stock router's Destination that has been
// killed: its leases are in the netDB until they end, and nobody's.
func (o *operator) checkLookupNothing() {
	router := "--router=" + o.net.Router(portsRouter).I2CPAddr()
	if l := o.lookup(1, newKeys(o.t).Destination.Base32(), router); l.Routers[0].Result != "not_found" {
		o.t.Errorf("%+v", l)
	}
	args := append(o.consoles(), "--dir="+o.path("b1"), router)
	if l := o.lookup(0, append([]string{o.taken.Destination.Base64()}, args...)...); l.Cluster.Ours || l.Cluster.Strange == 0 {
		o.t.Errorf("%+v", l)
	}
}

// checkStranger has a program on another router open a session with the same keys. Its leases
// are seen only while they are newer than ours, which may be never.
func (o *operator) checkStranger() {
	r := o.net.Router(remoteRouters[0])
	ended := make(chan error, 1)
	ctx, cancel := context.WithCancel(o.t.Context())
	go func() {
		stranger, err := samclient.Open(ctx, r.SAMAddr(), samclient.Options{
			PrivateKey: o.site.Base64(), Params: []string{"inbound.length=1", "outbound.length=0", "i2cp.leaseSetEncType=4"},
		})
		if err == nil {
			<-ctx.Done()
			err = stranger.Close()
		}
		ended <- err
	}()
	var d *diagnosis
	strange := false
	o.until(30*time.Second, "a SAM program with the same key", func() bool {
		d = o.running(append(o.consoles(), "--console="+r.HTTPAddr())...)
		strange = strange || d.hasAnywhere("leases-strange")
		return d.has("duplicate-here", r.HTTPAddr())
	})
	d.want("duplicate-here", r.HTTPAddr(), "tunnels.conf")
	o.t.Logf("its leases were seen meanwhile: %v", strange)
	cancel()
	<-ended
}

// checkOwnLeases has all frontends be told the wrong way: members publish, the publisher does
// not.
func (o *operator) checkOwnLeases() {
	for _, name := range []string{"a", "b", "c"} {
		o.frontends[name].end()
	}
	o.startFrontends(o.wrong(), "a", "b", "c")
	args := o.consoles()
	var d *diagnosis
	o.until(90*time.Second, "own leases in the netDB", func() bool {
		d = o.running(args...)
		return d.hasAnywhere("leases-own")
	})
	for _, r := range d.Results {
		if r.Fault == "leases-own" {
			d.want("leases-own", r.On, "Check the option of that router")
			o.t.Logf("own leases: %s", r.Found)
			return
		}
	}
}

// checkMemberAway kills a member's router.
func (o *operator) checkMemberAway() {
	var d *diagnosis
	o.until(time.Minute, "a member that serves again", func() bool {
		d = o.running()
		return !d.has("frontend-away", "a")
	})
	o.net.Router(operatorMember).Kill()
	o.until(30*time.Second, "the loss of a member", func() bool {
		d = o.running(o.router("a", operatorMember, "member"))
		return d.has("frontend-away", "a")
	})
	d.want("frontend-away", "a", "check the router beside it")
	d.want("router-refused", "a", "Start the router")
}
