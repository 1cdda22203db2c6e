package cluster_test

import (
	"fmt"
	"net"
	"os/exec"
	"runtime"
	"testing"
)

// loopback is the ground of balancers that nothing is to come between.
type loopback []string

// newLoopback has addresses for so many. On Linux each is one that nothing else
// uses: a port of 127.0.0.1 could be taken for a connection while its balancer is
// down.
func newLoopback(t *testing.T, count int) loopback {
	t.Helper()
	var l loopback
	for i := range count {
		host := "127.0.0.1"
		if runtime.GOOS == "linux" {
			host = fmt.Sprintf("127.0.0.%d", 2+i)
		}
		ln, err := net.Listen("tcp", host+":0")
		if err != nil {
			t.Fatal(err)
		}
		defer ln.Close()
		l = append(l, ln.Addr().String())
	}
	return l
}

func (l loopback) address(number int) string { return l[number] }

func (loopback) start(_ int, cmd *exec.Cmd) error { return cmd.Start() }

var _ ground = loopback(nil)
