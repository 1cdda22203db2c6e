// Package test has what crosses packages: the whole of Onelease on networks of
// real routers, and benchmarks of the whole packet path.
package test

import (
	"os"
	"testing"

	"github.com/onelease/onelease/backend"
	"github.com/onelease/onelease/plugins/proxy"
	"github.com/onelease/onelease/test/i2pd"
)

// TestMain has the test binary be a plugin too: that of TestProxyPlugin.
func TestMain(m *testing.M) {
	if os.Getenv("ONELEASE_PLUGIN") != "" {
		backend.Serve(&proxy.Service{}, backend.ServeName("proxy"))
	}
	os.Exit(i2pd.Main(m))
}
