package onelease_test

import (
	"os/exec"
	"strings"
	"testing"
)

// What a program links with this module must not drag in a cluster: neither
// raft, nor its database, nor the command's parts. Of HashiCorp's it has go-plugin, for
// backend.Serve.
func TestImports(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", ".", "./backend/...", "./plugins/...", "./examples/...").Output()
	if err != nil {
		t.Fatal(err)
	}
	deps := strings.Fields(string(out))
	if len(deps) < 100 {
		t.Fatalf("go list knows %d packages only", len(deps))
	}
	for _, dep := range deps {
		for _, unwanted := range []string{"hashicorp/raft", "bbolt", "boltdb", "spf13/cobra", "prometheus", "filippo.io/age", "onelease/cmd"} {
			if strings.Contains(dep, unwanted) {
				t.Errorf("a program that links onelease depends on %s", dep)
			}
		}
	}
}
