package i2pd

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// Environment variables that steer the tests with real routers.
const (
	EnvTests   = "ONELEASE_I2PD_TESTS"   // "1": run them, skip where something is missing
	EnvRequire = "ONELEASE_REQUIRE_I2PD" // "1": run them, fail where something is missing
	EnvBinary  = "ONELEASE_I2PD"         // path of the i2pd to run
)

const defaultBinary = "/usr/sbin/i2pd"

// ErrNoBinary means that no i2pd is installed where this package looks for one.
var ErrNoBinary = errors.New("no i2pd found")

// errNotInside is what setup says until Main has brought the tests into their
// namespace.
var errNotInside = errors.New(
	"not inside a closed network namespace: add func TestMain(m *testing.M) { os.Exit(i2pd.Main(m)) } to this package")

// setup is nil once routers can be started in this process; Main sets it, before any
// test runs.
var setup = errNotInside

// Require skips the test, in one line, unless tests with real routers are wanted and
// possible here. With ONELEASE_REQUIRE_I2PD=1 it fails the test instead. Start calls it;
// call it first in tests that do costly things before Start.
func Require(tb testing.TB) {
	tb.Helper()
	if !wanted() {
		tb.Skipf("slow, needs real routers: set %s=1 to run it", EnvTests)
	}
	err := available()
	switch {
	case err == nil:
	case required():
		tb.Fatalf("%s=1, but %v", EnvRequire, err)
	default:
		tb.Skip(err)
	}
}

// RequireTool is Require for one more program that a test runs, and returns its path. It is
// looked for in PATH and in /usr/sbin.
func RequireTool(tb testing.TB, name string) string {
	tb.Helper()
	Require(tb)
	for _, path := range []string{name, "/usr/sbin/" + name} {
		if found, err := exec.LookPath(path); err == nil {
			return found
		}
	}
	missing := fmt.Sprintf("no %s in PATH or in /usr/sbin: install it (apt-get install %[1]s; its service need not run)", name)
	if required() {
		tb.Fatalf("%s=1, but %s", EnvRequire, missing)
	}
	tb.Skip(missing)
	return ""
}

// Binary is the i2pd that tests run, for one that runs a router outside of any Network. It
// is Require besides.
func Binary(tb testing.TB) string {
	tb.Helper()
	Require(tb)
	path, err := findBinary()
	if err != nil {
		tb.Fatal(err)
	}
	return path
}

func required() bool { return os.Getenv(EnvRequire) == "1" }
func wanted() bool   { return required() || os.Getenv(EnvTests) == "1" }

// available says what is missing to run routers in this process.
func available() error {
	if _, err := findBinary(); err != nil {
		return err
	}
	return setup
}

// findBinary returns the path of the i2pd to run.
func findBinary() (string, error) {
	if path := os.Getenv(EnvBinary); path != "" {
		if _, err := exec.LookPath(path); err != nil {
			return "", fmt.Errorf("%w: %w: correct %s, or unset it to have i2pd looked for", ErrNoBinary, err, EnvBinary)
		}
		return path, nil
	}
	for _, path := range []string{"i2pd", defaultBinary} {
		if found, err := exec.LookPath(path); err == nil {
			return found, nil
		}
	}
	return "", fmt.Errorf("%w in PATH or at %s: install it (apt-get install i2pd; its service need not run), or set %s",
		ErrNoBinary, defaultBinary, EnvBinary)
}

// version asks the binary for its version, such as "2.45.1".
func version(binary string) (string, error) {
	out, err := exec.Command(binary, "--version").Output()
	if err != nil {
		return "", fmt.Errorf("%s --version: %w", binary, err)
	}
	return parseVersion(string(out))
}

// parseVersion reads the first line of "i2pd --version": "i2pd version 2.45.1 (0.9.57)".
func parseVersion(out string) (string, error) {
	line, _, _ := strings.Cut(out, "\n")
	fields := strings.Fields(line)
	if len(fields) < 3 || fields[0] != "i2pd" || fields[1] != "version" {
		return "", fmt.Errorf("i2pd --version: unknown answer %q", line)
	}
	return fields[2], nil
}
