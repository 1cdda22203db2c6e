// Package admintest tells whether what a role shows is what the table of metrics has.
package admintest

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/onelease/onelease/internal/admin"
)

// Lines is what /metrics says of a Snapshot, without comments.
func Lines(t *testing.T, s *admin.Snapshot) (lines []string) {
	t.Helper()
	code, body := get(s, "/metrics")
	if code != http.StatusOK {
		t.Fatalf("/metrics: %d %s", code, body)
	}
	for line := range strings.Lines(body) {
		if !strings.HasPrefix(line, "#") {
			lines = append(lines, strings.TrimSuffix(line, "\n"))
		}
	}
	return lines
}

// Complete wants that all metrics of the role are there in one of its Snapshots at least.
func Complete(t *testing.T, snapshots ...*admin.Snapshot) {
	t.Helper()
	seen := map[string]bool{}
	for _, s := range snapshots {
		for _, line := range Lines(t, s) {
			name, _, _ := strings.Cut(line, " ")
			name, _, _ = strings.Cut(name, "{")
			seen[name] = true
		}
	}
	mine := map[string]bool{}
	for _, g := range admin.Groups {
		for _, m := range g.Metrics {
			mine[m.Name] = mine[m.Name] || g.Role == "" || g.Role == snapshots[0].Role
		}
	}
	for name, is := range mine {
		if is != seen[name] {
			t.Errorf("a %s: metric %s is there: %v", snapshots[0].Role, name, seen[name])
		}
	}
}

// since is what /readyz adds to what fails.
var since = regexp.MustCompile(`(?m) \(since [0-9:]+Z, \d+ s\)$`)

// Readiness is what /readyz says, without since when.
func Readiness(s *admin.Snapshot) (code int, text string) {
	code, text = get(s, "/readyz")
	return code, since.ReplaceAllString(text, "")
}

func get(s *admin.Snapshot, path string) (int, string) {
	watcher := admin.Watch(func() *admin.Snapshot { return s })
	defer watcher.Close()
	w := httptest.NewRecorder()
	watcher.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	return w.Code, w.Body.String()
}
