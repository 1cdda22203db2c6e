package docs

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// long runs what takes minutes too.
var long = os.Getenv("ONELEASE_SOAK") == "1"

// pageLimit is for a page as a whole.
func pageLimit() time.Duration {
	if long {
		return 20 * time.Minute
	}
	return 4 * time.Minute
}

// TestDocs runs the pages, side by side. With ONELEASE_REQUIRE_NETNS=1 it fails where it cannot.
func TestDocs(t *testing.T) {
	if err := namespaces(t.Context(), t.TempDir()); err != nil {
		if os.Getenv("ONELEASE_REQUIRE_NETNS") == "1" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	program := t.TempDir()
	if out, err := exec.Command("go", "build", "-ldflags=-w", "-o", program, "../../cmd/onelease").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	pages, err := Pages("../..")
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range pages {
		t.Run(page.Path, func(t *testing.T) {
			t.Parallel()
			runPage(t, page, program)
		})
	}
	for page := range plans {
		if _, err := os.Stat(filepath.Join("../..", page)); err != nil {
			t.Errorf("there is a plan of a page that is not there: %v", err)
		}
	}
}

// runPage runs one in namespaces, or right here looks that all of it is left out.
func runPage(t *testing.T, page Page, program string) {
	if allLeft(t, page.Path, Steps(page.Text)) {
		return
	}
	ctx, cancel := context.WithTimeout(t.Context(), pageLimit()+10*time.Second)
	defer cancel()
	began := time.Now()
	output, err := runInside(ctx, page.Path, program, t.TempDir())
	t.Logf("%.1f s\n%s", time.Since(began).Seconds(), strings.TrimSpace(string(output)))
	if err != nil {
		t.Error(err)
	}
}

// allLeft reports whether nothing of the page is to be run.
func allLeft(t *testing.T, page string, steps []Step) bool {
	t.Helper()
	notes, err := plans[page].notes(steps)
	if err != nil {
		t.Error(err)
	}
	for i := range steps {
		if notes[i].left(long) == "" {
			return false
		}
	}
	return true
}
