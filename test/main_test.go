// Package test has what crosses packages: the whole of Onelease on networks of
// real routers, and benchmarks of the whole packet path.
package test

import (
	"os"
	"testing"

	"github.com/onelease/onelease/test/i2pd"
)

func TestMain(m *testing.M) { os.Exit(i2pd.Main(m)) }
