package doctor

import (
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/i2cp"
	"github.com/onelease/onelease/i2p/simnet"
	"github.com/onelease/onelease/internal/memconn"
)

const day = 24 * time.Hour

// planted says how each fault of the table comes into a setup in which nothing is wrong.
var planted = map[string]func(s *setup){
	"node-unreadable":      func(s *setup) { s.cfg.Dir = s.t.TempDir() },
	"certificate-unusable": func(s *setup) { joined()(s); s.truncate(s.cfg.Dir + "/node.crt") },
	"certificate-expired":  nodeFor(-2*time.Hour, time.Hour),
	"certificate-early":    nodeFor(2*time.Hour, 90*day),
	"certificate-expiring": nodeFor(0, 10*day),
	"keys-unreadable":      func(s *setup) { os.Remove(s.cfg.Keys[0]) },
	"keys-malformed":       func(s *setup) { s.truncate(s.cfg.Keys[0]) },
	"keys-expired":         func(s *setup) { s.cfg.Keys = []string{s.offlineKeys(-time.Hour)} },
	"keys-expiring":        func(s *setup) { s.cfg.Keys = []string{s.offlineKeys(10 * day)} },
	"file-open":            func(s *setup) { os.Chmod(s.cfg.Keys[0], 0o644) },
	"ca-open":              func(s *setup) { joined()(s); os.WriteFile(s.cfg.Dir+"/ca.key", nil, 0o600) },
	"disk-full":            func(s *setup) { s.free(Space{Free: 1 << 20, Inodes: 100}) },
	"disk-low":             func(s *setup) { s.free(Space{Free: 100 << 20, Inodes: 100}) },
	"balancers-away":       func(s *setup) { joined("b1:7660", "b2:7660")(s) },
	"balancer-away":        func(s *setup) { joined("b1:7660", "b2:7660")(s).balancer("b2:7660") },
	"balancer-stranger":    func(s *setup) { joined("b1:7660")(s); s.cluster().balancer("b1:7660") },
	"no-publisher":         func(s *setup) { s.cfg.Routers = s.cfg.Routers[:2] },
	"no-member":            func(s *setup) { s.cfg.Routers = s.cfg.Routers[2:] },
	"single-member":        func(s *setup) { s.cfg.Routers = s.cfg.Routers[1:] },
	"both-roles":           func(s *setup) { s.cfg.Routers[2].Member = true },
	"router-twice":         func(s *setup) { s.again("localhost:7654", addrA) },
	"router-refused":       func(s *setup) { s.network.Router("a").Kill() },
	"router-unreachable":   func(s *setup) { s.dials[addrA] = noHost },
	"router-silent":        func(s *setup) { s.network.Router("a").Freeze() },
	"router-sam":           func(s *setup) { s.dials[addrA] = answering(samBridge) },
	"router-http":          func(s *setup) { s.dials[addrA] = console(s) },
	"router-stranger":      func(s *setup) { s.dials[addrA] = answering(func(string) string { return "SSH-2.0-x\r\n" }) },
	"router-password":      func(s *setup) { s.dials[addrA] = stub{refuses: "Authorization failed"}.dial },
	"clock-router":         func(s *setup) { s.stub(stub{ahead: 2 * time.Minute}, addrA) },
	"clock-here":           func(s *setup) { s.stub(stub{ahead: -time.Hour}, addrA, addrB, addrC) },
	"clock-drift":          func(s *setup) { s.stub(stub{ahead: -10 * time.Second}, addrA) },
	"session-refused":      func(s *setup) { s.dials[addrA] = stub{session: i2cp.SessionRefused}.dial },
	"session-invalid":      func(s *setup) { s.dials[addrA] = stub{session: i2cp.SessionInvalid}.dial },
	"session-none":         func(s *setup) { s.dials[addrA] = stub{silent: true}.dial },
	"no-tunnels":           func(s *setup) { s.cfg.Quick = false; s.stub(stub{}, addrA) },
	"option-inverted":      func(s *setup) { s.cfg.Quick = false; s.router("a2", addrA, simnet.I2PD258) },
	"netdb-nothing":        func(s *setup) { s.cfg.Life = Running },
	"duplicate":            func(s *setup) { s.cfg.Life = Stopped; s.hostedElsewhere() },
	"no-leader":            func(s *setup) { s.led(errors.New("no leader")); s.cfg.Life = Running; s.cfg.Routers = nil },
	"site-away": func(s *setup) {
		s.led(errors.New("no site"))
		s.cfg.Life, s.cfg.Site, s.cfg.Routers = Running, s.t.TempDir(), nil
	},
	"frontend-away":  func(s *setup) { s.led(nil); s.frontends[1].Up = false },
	"duplicate-here": func(s *setup) { s.leases(); s.cfg.Hosted = hosting(true) },
	"leases-strange": func(s *setup) { s.led(nil); s.leases(9, 8) },
	"leases-own":     func(s *setup) { s.led(nil); s.leases(2, 2) },
	"i2cp-open":      func(s *setup) { s.at("192.0.2.1"); s.dials["192.0.2.1:7654"] = s.dials[addrA] },
	"i2cp-remote":    func(s *setup) { s.cfg.Routers[0].Addr = "192.0.2.9:7654"; s.dials["192.0.2.9:7654"] = s.dials[addrA] },
	"listener-plain": func(s *setup) { s.cfg.Listeners = []Listener{{Addr: "0.0.0.0:7656"}, {Addr: "[::]:7657", TLS: true}} },
}

// Each fault of the table is found where it is planted, and no other.
func TestEveryFaultIsFound(t *testing.T) {
	for _, c := range Table {
		for _, f := range c.Faults {
			t.Run(f.ID, func(t *testing.T) {
				spoil := planted[f.ID]
				if spoil == nil {
					t.Fatal("nothing plants it")
				}
				checkFound(t, inSetup(t, spoil), c, f)
			})
		}
	}
}

func checkFound(t *testing.T, report Report, c Check, f Fault) {
	t.Helper()
	found := false
	for _, r := range report.Results {
		switch {
		case r.Fault == f.ID:
			found = true
			if r.State != f.State || r.Cure != f.Cure || r.Found == "" || r.Check != c.Name {
				t.Errorf("%+v, want state %s, check %s and the table's cure", r, f.State, c.Name)
			}
		case r.State == Fail || r.State == Warn:
			t.Errorf("found as well: %s %s: %s", r.Fault, r.On, r.Found)
		}
	}
	if !found {
		t.Errorf("not found in %+v", report.Results)
	}
}

// A leader who tells a guest nothing is there all the same.
func TestGuestIsNotTold(t *testing.T) {
	report := inSetup(t, func(s *setup) { s.led(ErrNotTold); s.cfg.Life = Running; s.cfg.Routers = nil })
	for _, r := range report.Results {
		if r.Check == checkCluster && r.State == Unknown && r.Found == ErrNotTold.Error() {
			return
		}
	}
	t.Errorf("%+v", report.Results)
}

// Where nothing is wrong nothing is found, and all is checked that can be.
func TestNothingIsWrong(t *testing.T) {
	report := inSetup(t, func(s *setup) {
		joined("b1:7660")(s).balancer("b1:7660")
		s.cfg.Quick, s.cfg.Life, s.cfg.Secrets = false, Running, []string{s.write("users", "")}
		s.hostedElsewhere() // by the setup itself: nobody can tell
		s.at("192.0.2.1")
		s.led(nil)
		s.leases(1, 2, 9) // one may just have ended
		s.cfg.Routers[1].DontPublish = "auto"
	})
	checked := map[string]bool{}
	for _, r := range report.Results {
		checked[r.Check] = true
		if r.State != OK && r.Check != checkDuplicate {
			t.Errorf("%+v", r)
		}
	}
	for _, c := range Table {
		if !checked[c.Name] && c.Name != checkKeys {
			t.Errorf("%s was not checked", c.Name)
		}
	}
	if report.Failed+report.Warned > 0 || report.Unknown != 3 {
		t.Errorf("%d failed, %d warned, %d unknown; want only, for each router, that a duplicate cannot be seen", report.Failed, report.Warned, report.Unknown)
	}
}

// led has a leader with three frontends, tunnel 1 is the first's, and so on; or none.
func (s *setup) led(err error) {
	s.frontends = []Frontend{
		{Name: "a", Member: true, Up: true, Tunnels: []Tunnel{{ID: 1}}},
		{Name: "b", Member: true, Up: true, Tunnels: []Tunnel{{ID: 2}}},
		{Name: "c", Publisher: true, Up: true, Tunnels: []Tunnel{{ID: 3}}},
	}
	s.cfg.Cluster = func(context.Context) ([]Frontend, error) { return s.frontends, err }
}

// leases are the tunnels that a floodfill shows.
func (s *setup) leases(ids ...uint32) {
	s.cfg.Consoles, s.cfg.Hosted = []string{"127.0.0.1:7070"}, hosting(false)
	s.cfg.Stored = func(context.Context, string, i2p.Hash) (leases []Tunnel, err error) {
		for _, id := range ids {
			leases = append(leases, Tunnel{ID: id})
		}
		return leases, nil
	}
}

// hosting is what a router's webconsole shows.
func hosting(it bool) func(context.Context, string, i2p.Hash) (bool, error) {
	return func(context.Context, string, i2p.Hash) (bool, error) { return it, nil }
}

func (s *setup) truncate(path string) {
	s.t.Helper()
	if err := os.Truncate(path, 100); err != nil {
		s.t.Fatal(err)
	}
}

// offlineKeys is a key file with a transient key that is good for so long.
func (s *setup) offlineKeys(life time.Duration) string {
	return s.keyFile(func(k *i2p.Keys) {
		transient, err := i2p.GenerateKeys()
		if err != nil {
			s.t.Fatal(err)
		}
		if k.Offline, err = i2p.SignOffline(k, transient.Destination.SigningKey(), time.Now().Add(life)); err != nil {
			s.t.Fatal(err)
		}
		k.Signing = transient.Signing
	})
}

func (s *setup) free(space Space) {
	s.cfg.Space = func(string) (Space, error) { return space, nil }
}

func (s *setup) at(hosts ...string) {
	s.cfg.Addresses = func() ([]string, error) { return hosts, nil }
}

// again names a router once more, by another name for its address.
func (s *setup) again(addr, of string) {
	s.dials[addr] = s.dials[of]
	s.cfg.Routers = append(s.cfg.Routers, Router{Name: "again", Addr: addr, Member: true})
}

func (s *setup) stub(b stub, addrs ...string) {
	b.session = i2cp.SessionCreated
	for _, addr := range addrs {
		s.dials[addr] = b.dial
	}
}

// hostedElsewhere has a stock program host the Destination, on another machine.
func (s *setup) hostedElsewhere() {
	s.t.Helper()
	remote := s.network.NewRemote(simnet.RemoteConfig{Keys: s.keys, Published: true})
	for !remote.Ready() {
		time.Sleep(time.Second)
	}
	for {
		if _, there := s.network.Lookup(s.keys.Destination.Hash()); there {
			return
		}
		time.Sleep(time.Second)
	}
}

func noHost(context.Context) (net.Conn, error) { return nil, errors.New("lookup rooter: no such host") }

// samBridge answers as i2pd's does, which waits for the end of a line.
func samBridge(heard string) string {
	if strings.HasPrefix(heard, "HELLO VERSION") {
		return "HELLO REPLY RESULT=OK VERSION=3.1\n"
	}
	return ""
}

// console is a web server.
func console(s *setup) dialer {
	listener := memconn.Listen("console")
	server := &http.Server{}
	go server.Serve(listener)
	s.t.Cleanup(func() { server.Close() })
	return listener.Dial
}
