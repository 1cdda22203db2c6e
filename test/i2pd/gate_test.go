package i2pd

import (
	"errors"
	"runtime"
	"strings"
	"testing"
)

func TestParseVersion(t *testing.T) {
	got, err := parseVersion("i2pd version 2.45.1 (0.9.57)\nBoost version 1.74.0\n")
	if err != nil || got != "2.45.1" {
		t.Errorf("got %q, %v", got, err)
	}
	for _, bad := range []string{"", "i2pd version", "bash: i2pd: command not found"} {
		if got, err := parseVersion(bad); err == nil {
			t.Errorf("%q: got %q, want an error", bad, got)
		}
	}
}

func TestFindBinarySaysWhatIsMissing(t *testing.T) {
	t.Setenv(EnvBinary, "/nowhere/i2pd")
	if _, err := findBinary(); !errors.Is(err, ErrNoBinary) || !strings.Contains(err.Error(), EnvBinary) {
		t.Errorf("named binary that is not there: %v", err)
	}
}

// An outcome records how a test would have ended; only the methods that Require calls may be
// used.
type outcome struct {
	testing.TB
	skipped, failed string
}

func (o *outcome) Helper() {}
func (o *outcome) Skip(args ...any) {
	o.skipped = args[0].(error).Error()
	runtime.Goexit()
}
func (o *outcome) Skipf(string, ...any) {
	o.skipped = "not wanted"
	runtime.Goexit()
}
func (o *outcome) Fatalf(_ string, args ...any) {
	o.failed = args[len(args)-1].(error).Error()
	runtime.Goexit()
}

func TestRequire(t *testing.T) {
	for _, c := range []struct {
		name, tests, require, binary string
		want                         outcome
	}{
		{"not wanted", "", "", "/bin/true", outcome{skipped: "not wanted"}},
		{"wanted, missing", "1", "", "/nowhere", outcome{skipped: ErrNoBinary.Error()}},
		{"required, missing", "", "1", "/nowhere", outcome{failed: ErrNoBinary.Error()}},
		{"both, missing", "1", "1", "/nowhere", outcome{failed: ErrNoBinary.Error()}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Setenv(EnvTests, c.tests)
			t.Setenv(EnvRequire, c.require)
			t.Setenv(EnvBinary, c.binary)
			got := requireOutcome()
			if !strings.HasPrefix(got.skipped, c.want.skipped) || !strings.HasPrefix(got.failed, c.want.failed) ||
				(got.skipped == "") != (c.want.skipped == "") || (got.failed == "") != (c.want.failed == "") {
				t.Errorf("got skipped %q, failed %q", got.skipped, got.failed)
			}
		})
	}
}

func requireOutcome() outcome {
	var o outcome
	done := make(chan struct{})
	go func() {
		defer close(done)
		Require(&o)
	}()
	<-done
	return o
}

func TestConfigSaysWhatToChange(t *testing.T) {
	for _, c := range []struct {
		cfg  Config
		want string
	}{
		{Config{Floodfills: 4}, "Floodfills"},
		{Config{Routers: 3}, "Floodfills"},
		{Config{Routers: 7, Floodfills: 8}, "Routers"},
		{Config{Routers: maxNumber + 1}, "Routers"},
		{Config{Killable: []int{12}}, "Killable"},
		{Config{Killable: []int{-1}}, "Killable"},
		{Config{Args: map[int][]string{12: nil}}, "Args"},
	} {
		_, err := c.cfg.withDefaults()
		if !errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v", c.cfg, err)
		}
	}
	cfg, err := Config{}.withDefaults()
	if err != nil || cfg.Routers != 12 || cfg.Floodfills != 6 {
		t.Errorf("zero value: %+v, %v", cfg, err)
	}
}
