package pluginwire

import (
	"errors"
	"net"
	"path/filepath"
	"testing"
	"time"

	"github.com/onelease/onelease/i2p"
)

// sockets are the two ends of a unix connection.
func sockets(t testing.TB) (host, plugin net.Conn) {
	t.Helper()
	ln := listen(t)
	plugin, err := net.Dial("unix", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	host, err = ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { host.Close(); plugin.Close() })
	return host, plugin
}

func listen(t testing.TB) net.Listener {
	t.Helper()
	ln, err := net.Listen("unix", filepath.Join(t.TempDir(), "s"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	return ln
}

// conns are the two ends of a stream.
func conns(t testing.TB) (host, plugin *Conn) {
	h, p := sockets(t)
	return NewConn(h), NewConn(p)
}

func newAddr(t testing.TB, port uint16) *i2p.Addr {
	t.Helper()
	keys, err := i2p.GenerateKeys()
	if err != nil {
		t.Fatal(err)
	}
	return i2p.NewAddr(keys.Destination, port)
}

func want(t *testing.T, what string, err, target error) {
	t.Helper()
	if !errors.Is(err, target) {
		t.Errorf("%s: %v, want %v", what, err, target)
	}
}

// patience is how long a test waits for what should come at once.
const patience = 20 * time.Second

func await(t *testing.T, what string, c <-chan struct{}) {
	t.Helper()
	select {
	case <-c:
	case <-time.After(patience):
		t.Fatalf("%s did not happen", what)
	}
}
