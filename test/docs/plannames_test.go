package docs

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var testName = regexp.MustCompile(`\bTest[A-Z]\w*`)

// TestPlansNameTests: a test that is the reason why something is left out is there.
func TestPlansNameTests(t *testing.T) {
	named := map[string]string{} // by its name, where
	for page, plan := range plans {
		for _, note := range plan.Notes {
			for _, name := range testName.FindAllString(note.Not+note.Slow, -1) {
				named["func "+name+"("] = page
			}
		}
	}
	err := filepath.WalkDir("../..", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		for name := range named {
			if strings.Contains(string(text), name) {
				delete(named, name)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, page := range named {
		t.Errorf("the plan of %s names a test that is not there: %s", page, name)
	}
}
