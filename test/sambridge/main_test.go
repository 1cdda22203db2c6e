package sambridge

import (
	"os"
	"testing"

	"github.com/onelease/onelease/test/i2pd"
)

// TestMain has the test binary be a bridge too, in a process of its own: see startProcess.
func TestMain(m *testing.M) {
	if text := os.Getenv(envBridge); text != "" {
		os.Exit(bridgeMain(text))
	}
	os.Exit(i2pd.Main(m))
}
