package backend_test

import (
	"os/exec"
	"strings"
	"testing"
)

// What an application links must not drag in the cluster: neither Raft, nor
// its database, nor the other parts. gRPC and go-plugin are in it for Serve. The SAM
// bridge, which hosts Destinations of its own, is no service of one Host.
func TestImports(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", ".", "../plugins/echo/...", "../plugins/proxy/...", "../plugins/site/...", "../examples/echo").Output()
	if err != nil {
		t.Fatal(err)
	}
	deps := strings.Fields(string(out))
	if len(deps) < 50 {
		t.Fatalf("go list knows %d packages only", len(deps))
	}
	for _, dep := range deps {
		for _, unwanted := range []string{
			"hashicorp/raft", "bbolt", "boltdb", "spf13/cobra", "prometheus", "eyedeekay/sam3",
			"onelease/balancer", "onelease/raftstate", "onelease/frontend", "onelease/cmd",
			"onelease/i2p/i2cp", "onelease/i2p/simnet",
		} {
			if strings.Contains(dep, unwanted) {
				t.Errorf("backend depends on %s", dep)
			}
		}
	}
}
