package test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/internal/doctor"
	"github.com/onelease/onelease/test/docs"
	"github.com/onelease/onelease/test/i2pd"
	"github.com/onelease/onelease/test/i2pd/samclient"
)

// The routers of TestTenMinutes, by their number in the network.
const (
	tenVisitor   = 6 // its HTTP proxy is the one that the page has
	tenReader    = 7 // another, who knew the site before
	tenPublisher = 9
)

var tenMembers = []int{10, 11}

// fetchTime is for one page, and so how exactly an outage is measured.
const fetchTime = 5 * time.Second

// readerPort is where tenReader has its HTTP proxy.
const readerPort = "24446"

// tunnelsConf has the site as i2pd alone serves it.
const tunnelsConf = `[site]
type = http
host = 127.0.0.1
port = 8080
keys = site.dat
inbound.length = 1
outbound.length = 1
i2cp.leaseSetEncType = 4
`

// TestTenMinutes is docs/quickstart.md, as the Debian package has it, with the package's program,
// on stock i2pd: a site that one router serves becomes one on two routers, its visitor
// fetches it through the HTTP proxy of another, and the member that serves them is killed with
// -9. Doctor and status are asked before and after.
func TestTenMinutes(t *testing.T) {
	t.Parallel() // with what is as patient
	i2pd.Require(t)
	p := prepareTen(t)
	p.before()

	began := time.Now()
	p.retire()
	p.follow()
	t.Logf("the first page came %.1f s after the old tunnel was taken out", time.Since(began).Seconds())
	p.kill()
	took := time.Since(began)
	t.Logf("all of it took %.0f s", took.Seconds())
	if took > 10*time.Minute {
		t.Errorf("it took %v, which is more than ten minutes", took)
	}
}

// A tenMinutes is one run of it.
type tenMinutes struct {
	t       *testing.T
	net     *i2pd.Network
	page    []docs.Step
	conf    string // tunnels.conf of the first member
	dir     string // where commands run
	path    string // PATH with the package's program
	address string // of the site
	runner  *docs.Runner
	old     map[tunnel]bool // leases of the site before
}

// prepareTen has the package built and the routers started, side by side.
func prepareTen(t *testing.T) *tenMinutes {
	t.Helper()
	i2pd.RequireTool(t, "curl")
	i2pd.RequireTool(t, "dpkg-deb")
	p := &tenMinutes{t: t, dir: t.TempDir(), conf: filepath.Join(t.TempDir(), "tunnels.conf"), old: map[tunnel]bool{}}
	if err := os.WriteFile(p.conf, []byte(tunnelsConf), 0o600); err != nil {
		t.Fatal(err)
	}
	var group errgroup.Group
	root := t.TempDir()
	group.Go(func() error { return unpack(root) })
	p.net = i2pd.Start(t, i2pd.Config{
		Routers: 12, Floodfills: floodfills, Killable: tenMembers,
		I2CPPorts: map[int]int{tenMembers[0]: 7654, tenMembers[1]: 7664, tenPublisher: 7674},
		Args: map[int][]string{
			tenVisitor:    proxyArgs("4444"),
			tenReader:     proxyArgs(readerPort),
			tenMembers[0]: {"--tunconf=" + p.conf},
		},
	})
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(root, "usr/share/doc/onelease/docs/quickstart.md"))
	if err != nil {
		t.Fatal(err)
	}
	p.page, p.path = docs.Steps(string(text)), "PATH="+filepath.Join(root, "usr/bin")+":"+os.Getenv("PATH")
	return p
}

// proxyArgs give an i2pd an HTTP proxy.
func proxyArgs(port string) []string {
	return []string{
		"--httpproxy.enabled=1", "--httpproxy.address=127.0.0.1", "--httpproxy.port=" + port,
		"--httpproxy.inbound.length=1", "--httpproxy.outbound.length=1", "--httpproxy.i2cp.leaseSetEncType=4",
	}
}

// unpack makes the Debian package, and puts what it has into the directory.
func unpack(dir string) error {
	build := exec.Command("nice", "../packaging/build.sh") // routers start meanwhile
	var said bytes.Buffer
	build.Stderr = &said
	deb, err := build.Output()
	if err != nil {
		return fmt.Errorf("make the package: %w: %s", err, &said)
	}
	out, err := exec.Command("dpkg-deb", "-x", filepath.Join("..", strings.TrimSpace(string(deb))), dir).CombinedOutput()
	if err != nil {
		return fmt.Errorf("unpack the package: %w: %s", err, out)
	}
	return nil
}

// before has the site on one router, served by i2pd itself.
func (p *tenMinutes) before() {
	p.t.Helper()
	p.runner = &docs.Runner{
		Dir: p.dir, Env: []string{p.path}, Log: p.t.Logf, Limit: 3 * time.Minute,
		Rewrite: func(command string) string {
			return strings.ReplaceAll(command, "/var/lib/i2pd/", p.net.Router(tenMembers[0]).Dir()+"/")
		},
	}
	p.t.Cleanup(p.runner.Close)
	p.run(p.page[:0], docs.Plan{Web: "127.0.0.1:8080"})
	address := strings.Fields(string(p.ask("onelease key show " + p.net.Router(tenMembers[0]).Dir() + "/site.dat")))
	at := slices.IndexFunc(address, func(w string) bool { return strings.HasSuffix(w, ".b32.i2p") })
	if at < 0 {
		p.t.Fatalf("key show says %q", address)
	}
	p.address = address[at]
	p.until(2*time.Minute, "the old site", func() error { return p.fetch(readerPort, p.address) })
	for t := range p.listed() {
		p.old[t] = true
	}
}

// retire is step 1: the old tunnel is taken out, and its router restarted.
func (p *tenMinutes) retire() {
	p.t.Helper()
	if err := os.WriteFile(p.conf, nil, 0o600); err != nil {
		p.t.Fatal(err)
	}
	if err := p.net.Router(tenMembers[0]).Restart(p.t.Context()); err != nil {
		p.t.Fatal(err)
	}
}

// follow is the page, from step 2 to where a router is killed.
func (p *tenMinutes) follow() {
	p.t.Helper()
	doctor, curl, drain := p.step("onelease doctor"), p.step("curl"), p.step("onelease drain")
	p.run(p.page[:doctor], docs.Plan{Notes: []docs.Note{
		{Of: "onelease simnet", Not: "the routers are there"},
		{Of: "[i2cp]", Not: "the routers are there"},
	}})
	p.stopped(p.page[doctor].Command)
	p.run(p.page[doctor+1:curl], docs.Plan{Notes: []docs.Note{
		{Of: "ok    tunnels", Not: "see stopped"},
		{Of: "level=INFO", Not: "a log"},
	}})
	p.until(3*time.Minute, "the new LeaseSet at the floodfills", p.replaced)
	p.run(p.page[curl:drain], docs.Plan{Notes: []docs.Note{{Of: "curl", Prints: docs.WebPage, Again: true}}})
}

// listed are the leases that floodfills have for the site, and at how many.
func (p *tenMinutes) listed() map[tunnel]int {
	p.t.Helper()
	hash, err := i2p.ParseBase32(p.address)
	if err != nil {
		p.t.Fatal(err)
	}
	leases := map[tunnel]int{}
	for _, ls := range p.net.LookupLeaseSet(p.t.Context(), hash) {
		for _, l := range ls.Leases {
			leases[tunnel{l.Gateway, l.TunnelID}]++
		}
	}
	return leases
}

// replaced wants no floodfill to have the old LeaseSet: a visitor that gets it dials tunnels that
// are gone, and is slow to ask again.
func (p *tenMinutes) replaced() error {
	leases := p.listed()
	if len(leases) == 0 {
		return errors.New("no floodfill has one")
	}
	for t, at := range leases {
		if p.old[t] {
			return fmt.Errorf("%d floodfills have the old one", at)
		}
	}
	return nil
}

// step is where the page has the first command that begins so.
func (p *tenMinutes) step(command string) int {
	p.t.Helper()
	at := slices.IndexFunc(p.page, func(s docs.Step) bool { return strings.HasPrefix(s.Command, command) })
	if at < 0 {
		p.t.Fatalf("the page has no %s", command)
	}
	return at
}

// stopped wants doctor to find nothing wrong, but for what the old tunnel has left.
func (p *tenMinutes) stopped(command string) {
	p.t.Helper()
	began := time.Now()
	out, _ := p.runner.Output(p.t.Context(), strings.Replace(command, "doctor", "doctor --json", 1)) // 1 if the old tunnel is found
	p.t.Logf("doctor took %.1f s", time.Since(began).Seconds())
	var report doctor.Report
	if err := json.Unmarshal(out, &report); err != nil {
		p.t.Fatalf("%s: %v: %s", command, err, out)
	}
	found := map[string]bool{}
	for _, r := range report.Results {
		switch {
		case r.Fault == "duplicate":
			p.t.Logf("the old tunnel is still found: %s", r.Found)
		case r.State != doctor.OK:
			p.t.Errorf("doctor: %+v", r)
		}
		found[r.Check] = true
	}
	for _, check := range []string{"tunnels", "publish-option", "duplicate", "clock", "session"} {
		if !found[check] {
			p.t.Errorf("doctor has not checked %s: %s", check, out)
		}
	}
}

func (p *tenMinutes) run(steps []docs.Step, plan docs.Plan) {
	p.t.Helper()
	p.runner.Plan = plan
	if err := p.runner.Run(p.t.Context(), steps); err != nil {
		p.t.Fatal(err)
	}
}

// ask is what a command prints, which must end well.
func (p *tenMinutes) ask(command string) []byte {
	p.t.Helper()
	out, err := p.runner.Output(p.t.Context(), command)
	if err != nil {
		p.t.Fatalf("%s: %v: %s", command, err, out)
	}
	return out
}

func (p *tenMinutes) until(within time.Duration, what string, done func() error) {
	p.t.Helper()
	began := time.Now()
	if err := samclient.Until(p.t.Context(), within, done); err != nil {
		p.t.Fatalf("%s: %v", what, err)
	}
	p.t.Logf("%s: there after %.1f s", what, time.Since(began).Seconds())
}

// fetch gets the page through a router's HTTP proxy.
func (p *tenMinutes) fetch(proxy, address string) error {
	ctx, cancel := context.WithTimeout(p.t.Context(), fetchTime)
	defer cancel()
	page, err := exec.CommandContext(ctx, "curl", "-sS", "-x", "http://127.0.0.1:"+proxy, "http://"+address+"/").CombinedOutput()
	if err == nil && !strings.Contains(string(page), docs.WebPage) {
		err = errors.New("another page")
	}
	if err != nil {
		return fmt.Errorf("%w: %.200s", err, page)
	}
	return nil
}
