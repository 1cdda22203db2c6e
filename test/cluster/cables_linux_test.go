package cluster_test

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"testing"

	"golang.org/x/sys/unix"
)

// host stands for where the frontends are, and the operator: this process.
const host = -1

// cables is the ground of balancers that each have a network namespace, with a
// cable to this process's. What balancers say to each other is passed on here.
//
//	balancer 0: eth0 10.77.0.2 ---- 10.77.0.1 b0 :this process
//	balancer 1: eth0 10.77.1.2 ---- 10.77.1.1 b1 :
type cables struct {
	t    *testing.T
	ns   []*os.File // a namespace lives as long as it is open, or has a process
	cuts [][2]int
}

func newCables(t *testing.T, count int) *cables {
	t.Helper()
	c := &cables{t: t}
	for i := range count {
		t.Cleanup(func() { _ = ip("link", "del", c.port(i)) }) // gone, most likely
		if err := c.lay(i); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

func (c *cables) port(i int) string    { return fmt.Sprintf("b%d", i) }
func (c *cables) hostIP(i int) string  { return fmt.Sprintf("10.77.%d.1", i) }
func (c *cables) ip(i int) string      { return fmt.Sprintf("10.77.%d.2", i) }
func (c *cables) address(i int) string { return c.ip(i) + ":7660" }

// lay makes a namespace and its cable.
func (c *cables) lay(i int) error {
	pid := fmt.Sprint(os.Getpid())
	err := onThread(func() error {
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			return err
		}
		ns, err := os.Open("/proc/thread-self/ns/net")
		if err != nil {
			return err
		}
		c.ns = append(c.ns, ns)
		c.t.Cleanup(func() { ns.Close() })
		return all(
			ip("link", "set", "lo", "up"),
			ip("link", "add", "eth0", "type", "veth", "peer", "name", c.port(i), "netns", pid),
			ip("addr", "add", c.ip(i)+"/24", "dev", "eth0"),
			ip("link", "set", "eth0", "up"),
			ip("route", "add", "default", "via", c.hostIP(i)),
			localLast(),
		)
	})
	if err != nil {
		return err
	}
	return all(
		ip("addr", "add", c.hostIP(i)+"/24", "dev", c.port(i)),
		ip("link", "set", c.port(i), "up"),
	)
}

// all is the first error.
func all(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// onThread calls do on a thread that ends then: it may change what it is in.
func onThread(do func() error) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // never undone
		done <- do()
	}()
	return <-done
}

// in calls do on a thread in a balancer's namespace.
func (c *cables) in(i int, do func() error) error {
	return onThread(func() error {
		if err := unix.Setns(int(c.ns[i].Fd()), unix.CLONE_NEWNET); err != nil {
			return err
		}
		return do()
	})
}

func (c *cables) start(i int, cmd *exec.Cmd) error { return c.in(i, cmd.Start) }

// cut has packets from one vanish on their way to the other, without a word to
// either. They do where they arrive: a sender would be told.
func (c *cables) cut(from, to int) {
	c.t.Helper()
	if err := c.rule("add", from, to); err != nil {
		c.t.Fatal(err)
	}
	c.cuts = append(c.cuts, [2]int{from, to})
}

// part cuts both ways.
func (c *cables) part(a, b int) {
	c.cut(a, b)
	c.cut(b, a)
}

// heal takes back all cuts.
func (c *cables) heal() {
	c.t.Helper()
	for _, cut := range slices.Backward(c.cuts) {
		if err := c.rule("del", cut[0], cut[1]); err != nil {
			c.t.Fatal(err)
		}
	}
	c.cuts = nil
}

func (c *cables) rule(do string, from, to int) error {
	rule := func(iif, direction, addr string) error {
		return ip("rule", do, "pref", "100", "iif", iif, direction, addr, "blackhole")
	}
	switch {
	case to == host:
		return rule(c.port(from), "to", c.hostIP(from))
	case from == host:
		return c.in(to, func() error { return rule("eth0", "from", c.hostIP(to)) })
	}
	return rule(c.port(from), "to", c.ip(to))
}

var _ ground = (*cables)(nil)
