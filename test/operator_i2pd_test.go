package test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/test/i2pd"
)

// TestOperator is what an operator sees on stock routers: every fault of a router that doctor
// knows and that can be planted in a real one is found with its cure, a setup that is well is
// found so, before it runs and while it does, and lookup tells whose leases there are.
func TestOperator(t *testing.T) {
	i2pd.Require(t)
	t.Parallel() // with what is as patient
	o := newOperator(t)
	o.atOnce(o.checkWell, o.checkPorts, o.checkWays, o.checkDuplicate, o.checkClock, o.checkDisk, o.checkOption)
	o.startCluster()
	o.checkNoPublisher()
	o.startPublisher()
	o.checkRunning()
	o.atOnce(o.checkLookup, o.checkLookupNothing)
	o.checkStranger()
	o.checkOwnLeases()
	o.checkMemberAway()
}

// The routers of TestOperator: two members and a publisher, one with all other ports that a
// router may have, and one whose tunnels.conf has a key that somebody uses.
const (
	operatorMember  = 10
	operatorOther   = 11
	operatorPublish = 9
	portsRouter     = 7
	tunnelRouter    = 8
)

// Ports of portsRouter, which networks of other tests have not.
const (
	httpProxyPort = "127.0.0.1:24444"
	socksPort     = "127.0.0.1:24447"
	controlPort   = "127.0.0.1:24650"
)

// An operator has the program, routers and two keys, one of which is in use.
type operator struct {
	*program
	t           *testing.T
	net         *i2pd.Network
	dir         string
	site, taken *i2p.Keys
	frontends   map[string]*service
}

func newOperator(t *testing.T) *operator {
	t.Helper()
	o := &operator{t: t, program: buildProgram(t), dir: t.TempDir(), site: newKeys(t), taken: newKeys(t), frontends: map[string]*service{}}
	for name, keys := range map[string]*i2p.Keys{"site.dat": o.site, "taken.dat": o.taken} {
		if err := i2p.WriteKeyFile(o.path(name), keys, i2p.KeyBinary); err != nil {
			t.Fatal(err)
		}
	}
	o.net = i2pd.Start(t, i2pd.Config{
		Routers: 12, Floodfills: floodfills, Killable: []int{tunnelRouter, operatorMember, operatorOther},
		Args: map[int][]string{portsRouter: otherPorts(), tunnelRouter: {"--tunconf=" + o.tunnels()}},
	})
	return o
}

func (o *operator) path(name string) string { return filepath.Join(o.dir, name) }

// otherPorts turns on what a router may listen with besides, and has I2CP open to the network.
func otherPorts() (args []string) {
	args = []string{"--i2cp.address=0.0.0.0"}
	for name, addr := range map[string]string{"httpproxy": httpProxyPort, "socksproxy": socksPort, "i2pcontrol": controlPort} {
		_, port, _ := strings.Cut(addr, ":")
		args = append(args, "--"+name+".enabled=true", "--"+name+".port="+port)
	}
	return args
}

// tunnels is a tunnels.conf with the key that is in use. i2pd looks for key files below its
// own directory, which is two below TMPDIR.
func (o *operator) tunnels() string {
	key, err := filepath.Rel(os.TempDir(), o.path("taken.dat"))
	if err != nil {
		o.t.Fatal(err)
	}
	text := fmt.Sprintf("[site]\ntype = server\nhost = 127.0.0.1\nport = 9\nkeys = ../../%s\ninbound.length = 1\noutbound.length = 0\n", key)
	if err := os.WriteFile(o.path("tunnels.conf"), []byte(text), 0o600); err != nil {
		o.t.Fatal(err)
	}
	return o.path("tunnels.conf")
}

// atOnce makes several checks at once, since each mostly waits.
func (o *operator) atOnce(checks ...func()) {
	var checking sync.WaitGroup
	for _, check := range checks {
		checking.Go(check)
	}
	checking.Wait()
}

// until looks again and again until it is so: real routers announce nothing. It may be called
// beside other checks, and so does not end the test.
func (o *operator) until(limit time.Duration, what string, so func() bool) {
	o.t.Helper()
	began := time.Now()
	for !so() {
		if time.Since(began) > limit {
			o.t.Errorf("no sign of %s in %v", what, limit)
			return
		}
		time.Sleep(200 * time.Millisecond)
	}
	o.t.Logf("%s after %.1f s", what, time.Since(began).Seconds())
}

// router is one for --router.
func (o *operator) router(name string, number int, roles string) string {
	return fmt.Sprintf("--router=%s=%s,%s", name, o.net.Router(number).I2CPAddr(), roles)
}

// routers are those of the setup. quirk is how they read the option not to publish.
func (o *operator) routers(quirk string) []string {
	return []string{
		o.router("a", operatorMember, "member,"+quirk), o.router("b", operatorOther, "member,"+quirk),
		o.router("c", operatorPublish, "publisher,"+quirk),
	}
}

// right is how this version of i2pd reads the option, and wrong the other way.
func (o *operator) right() string { return string(quirkOf(o.net.Version)) }
func (o *operator) wrong() string {
	return map[string]string{"normal": "inverted", "inverted": "normal"}[o.right()]
}

// consoles has doctor and lookup look into all floodfills.
func (o *operator) consoles() (args []string) {
	for _, r := range o.net.Floodfills() {
		args = append(args, "--console="+r.HTTPAddr())
	}
	return args
}
