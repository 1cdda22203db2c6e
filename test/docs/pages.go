package docs

import (
	"os"
	"path/filepath"
)

// A Page is one of README.md and docs/.
type Page struct {
	// Path is from the root of the repository.
	Path string
	Text string
}

// Pages are those of the repository that has its root there, and others that are named.
func Pages(root string, others ...string) (pages []Page, err error) {
	paths, err := filepath.Glob(filepath.Join(root, "docs", "*.md"))
	if err != nil {
		return nil, err
	}
	for _, other := range append([]string{"README.md"}, others...) {
		paths = append(paths, filepath.Join(root, other))
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		if path, err = filepath.Rel(root, path); err != nil {
			return nil, err
		}
		pages = append(pages, Page{path, string(text)})
	}
	return pages, nil
}
