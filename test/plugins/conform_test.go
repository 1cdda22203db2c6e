package plugins_test

import (
	"fmt"
	"os"
	"os/exec"
	"testing"

	"github.com/onelease/onelease/backend/plugin"
	"github.com/onelease/onelease/backend/servicetest"
)

// Our own plugins do what is asked of others'.
func TestConform(t *testing.T) {
	t.Parallel()
	for pkg, settings := range map[string]string{
		"plugins/echo/cmd/echo":   "",
		"plugins/site/cmd/site":   fmt.Sprintf("root = %q", t.TempDir()),
		"plugins/proxy/cmd/proxy": `target = "tcp://127.0.0.1:1"`,
	} {
		t.Run(pkg, func(t *testing.T) {
			servicetest.Conform(t, plugin.Config{Name: "it", Path: build(t, pkg), Settings: settings})
		})
	}
	t.Run("python", func(t *testing.T) {
		needsPython(t)
		servicetest.Conform(t, plugin.Config{Name: "shout", Path: "../../examples/plugin-python/shout.py", NoTLS: true})
	})
}

// needsPython skips a test where Debian's python3-grpcio is not installed, or fails it
// where that must be.
func needsPython(t *testing.T) {
	t.Helper()
	out, err := exec.Command("/usr/bin/python3", "-c", "import grpc, tomllib").CombinedOutput()
	switch {
	case err == nil:
	case os.Getenv("ONELEASE_REQUIRE_TOOLS") != "":
		t.Fatalf("install python3-grpcio: %v\n%s", err, out)
	default:
		t.Skip("python3-grpcio is not installed")
	}
}
