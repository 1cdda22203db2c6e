//go:build !linux

package i2pd

import (
	"errors"
	"net/netip"
	"testing"
)

// Main runs the tests of a package. Real routers need the network namespaces of Linux, so
// here the tests that want them skip.
func Main(m *testing.M) int {
	setup = errors.New("closed network namespaces need Linux")
	return m.Run()
}

func addAddress(int, netip.Addr) error { return setup }
