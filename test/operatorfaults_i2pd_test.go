package test

import (
	"encoding/binary"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/test/i2pd"
)

// checkWell has a setup that is well, before it runs.
func (o *operator) checkWell() {
	o.doctor(append(o.routers(o.right()), "--keys="+o.path("site.dat"), "--stopped")...).
		wantWell("keys", "files", "disk", "roles", "router", "clock", "session", "tunnels", "publish-option", "duplicate", "ports")
}

// checkPorts gives ports that are not I2CP's, and one that is nobody's.
func (o *operator) checkPorts() {
	r := o.net.Router(portsRouter)
	d := o.doctor("--quick", "--router=sam="+r.SAMAddr(), "--router=console="+r.HTTPAddr(), "--router=proxy="+httpProxyPort,
		"--router=socks="+socksPort, "--router=control="+controlPort, "--router=nobody=127.0.0.1:24001",
		o.router("open", portsRouter, "member"))
	d.want("router-sam", "sam", "Give the router's I2CP port, not its SAM port")
	d.want("router-http", "console", "Give the router's I2CP port")
	d.want("router-http", "proxy", "Give the router's I2CP port")
	d.want("router-stranger", "socks", "Give the router's I2CP port")
	d.want("router-stranger", "control", "Give the router's I2CP port")
	d.want("router-refused", "nobody", "Start the router, enable I2CP")
	d.want("i2cp-open", "open", "Bind it to 127.0.0.1")
	d.want("no-publisher", "", "Give one the role publisher")
}

// checkWays has one router of the setup hang, and the key in a file that is others' to read.
func (o *operator) checkWays() {
	r := o.net.Router(remoteRouters[0])
	if err := r.Stop(); err != nil {
		o.t.Error(err)
	}
	defer r.Continue()
	open := o.keyFile(o.dir, "open.dat")
	if err := os.Chmod(open, 0o644); err != nil {
		o.t.Error(err)
	}
	d := o.doctor("--quick", "--keys="+open, o.router("hangs", remoteRouters[0], "member"), o.router("hangs-too", remoteRouters[0], "publisher"))
	d.want("router-silent", "hangs", "The router hangs")
	d.want("router-twice", "hangs-too", "Name each router once")
	d.want("file-open", open, "chmod 600 FILE")
}

func (o *operator) keyFile(dir, name string) string {
	path := filepath.Join(dir, name)
	if err := i2p.WriteKeyFile(path, o.site, i2p.KeyBinary); err != nil {
		o.t.Error(err)
	}
	return path
}

// checkDuplicate finds the tunnel of another router by the netDB, and by that router's
// webconsole. Then it is killed.
func (o *operator) checkDuplicate() {
	r, key := o.net.Router(tunnelRouter), "--keys="+o.path("taken.dat")
	o.until(time.Minute, "the LeaseSet of the tunnel", func() bool {
		return len(o.net.LookupLeaseSet(o.t.Context(), o.taken.Destination.Hash())) > 0
	})
	d := o.doctor("--stopped", key, o.router("b", operatorOther, "member,"+o.right()), "--console="+r.HTTPAddr())
	d.want("duplicate", "b", "find the other machine")
	d.want("duplicate-here", r.HTTPAddr(), "tunnels.conf")
	r.Kill()
	o.doctor("--quick", o.router("killed", tunnelRouter, "member")).want("router-refused", "killed", "Start the router")
}

// checkOption says that a router reads the option the other way.
func (o *operator) checkOption() {
	d := o.doctor(o.router("c", operatorPublish, "publisher,"+o.wrong()))
	d.want("option-inverted", "c", "Set what was found for this router")
	o.t.Logf("option-inverted after %.1f s", d.took.Seconds())
}

// checkDisk has a key on a disk that is full, which nobody may read who has no more rights than others.
func (o *operator) checkDisk() {
	small := o.path("small")
	if err := os.Mkdir(small, 0o700); err != nil {
		o.t.Error(err)
	}
	if err := syscall.Mount("tmpfs", small, "tmpfs", 0, "size=1m"); err != nil {
		o.t.Errorf("a small disk: %v", err)
		return
	}
	defer syscall.Unmount(small, 0)
	key := o.keyFile(small, "site.dat")
	if err := os.Chmod(key, 0); err != nil {
		o.t.Error(err)
	}
	o.doctor("--keys="+key).want("disk-full", small, "Make room")
	powerless := exec.Command("setpriv", "--bounding-set=-all", o.program.path, "doctor", "--json", "--keys="+key)
	o.diagnose(powerless).want("keys-unreadable", key, "chown USER FILE")
}

// checkClock has a router whose clock is two minutes ahead, as its time server tells it. No
// other router talks to one of these.
func (o *operator) checkClock() {
	const addr = "127.0.0.1:24002"
	dir := o.t.TempDir()
	conf := fmt.Sprintf(`netid = 99
host = 127.0.0.1
port = 24003
nat = false
ipv6 = false
log = file
logfile = %[1]s/log
[http]
enabled = false
[httpproxy]
enabled = false
[socksproxy]
enabled = false
[sam]
enabled = false
[i2cp]
enabled = true
port = 24002
[reseed]
threshold = 0
urls =
yggurls =
[nettime]
enabled = true
ntpservers = 127.0.0.1
`, dir)
	if err := os.WriteFile(filepath.Join(dir, "i2pd.conf"), []byte(conf), 0o600); err != nil {
		o.t.Error(err)
	}
	defer o.tellTime(2 * time.Minute)()
	router := exec.Command(i2pd.Binary(o.t), "--datadir="+dir, "--conf="+filepath.Join(dir, "i2pd.conf"))
	if err := router.Start(); err != nil {
		o.t.Error(err)
		return
	}
	defer router.Wait()
	defer router.Process.Kill()
	o.until(30*time.Second, "a router with the wrong time", func() bool {
		return o.doctor("--quick", "--router=late="+addr).has("clock-router", "late")
	})
}

// tellTime answers who asks for the time with one that is ahead (RFC 4330), until it is told
// to end.
func (o *operator) tellTime(ahead time.Duration) (end func()) {
	conn, err := net.ListenPacket("udp", "127.0.0.1:123")
	if err != nil {
		o.t.Error(err)
		return func() {}
	}
	go func() {
		ask := make([]byte, 48)
		for {
			_, from, err := conn.ReadFrom(ask)
			if err != nil {
				return
			}
			const since1900 = 2208988800
			answer := make([]byte, 48)
			binary.BigEndian.PutUint32(answer[32:], uint32(time.Now().Add(ahead).Unix()+since1900))
			copy(answer[40:], answer[32:40])
			_, _ = conn.WriteTo(answer, from)
		}
	}()
	return func() { conn.Close() }
}
