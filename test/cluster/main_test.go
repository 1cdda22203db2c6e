package cluster_test

import (
	"errors"
	"os"
	"testing"
)

// Environment variables that steer these tests.
const (
	envRequire = "ONELEASE_REQUIRE_NETNS" // "1": fail where namespaces cannot be had
	envSoak    = "ONELEASE_SOAK"          // set: the long forms
)

// errNoNamespaces is nil if the tests run in namespaces of their own, else it says
// why they do not. TestMain sets it.
var errNoNamespaces = errors.New("network namespaces need Linux")

func TestMain(m *testing.M) {
	if os.Getenv(envNode) != "" {
		os.Exit(runNode())
	}
	os.Exit(runTests(m))
}

// needNamespaces skips the test where there are none, or fails it if they are required.
func needNamespaces(t *testing.T) {
	t.Helper()
	switch {
	case errNoNamespaces == nil:
	case os.Getenv(envRequire) == "1":
		t.Fatalf("%s=1, but %v", envRequire, errNoNamespaces)
	default:
		t.Skip(errNoNamespaces)
	}
}

// soak reports whether the long forms are wanted.
func soak() bool { return os.Getenv(envSoak) != "" }
