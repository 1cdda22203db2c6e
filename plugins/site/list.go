package site

import (
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path"
)

var listing = template.Must(template.New("list").Parse(`<!doctype html>
<meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>{{.Path}}</title>
<h1>{{.Path}}</h1>
<table>
{{if .Up}}<tr><td><a href="../">../</a><td>
{{end}}{{range .Files}}<tr><td><a href="{{.Link}}">{{.Name}}</a><td>{{.Size}}
{{end}}</table>
`))

// A listed file has what the listing shows. It shows no times.
type listed struct{ Name, Link, Size string }

// list answers with what is in a directory.
func (h *handler) list(w http.ResponseWriter, r *http.Request, root *os.Root, dir string) error {
	entries, err := fs.ReadDir(root.FS(), dir)
	if err != nil {
		return err
	}
	page := struct {
		Path  string
		Up    bool
		Files []listed
	}{Path: r.URL.Path, Up: dir != "."}
	for _, e := range entries {
		// Stat follows links, as a request would: those that lead out are left out.
		info, err := root.Stat(path.Join(dir, e.Name()))
		if err != nil || !h.Hidden && hidden(path.Join(dir, e.Name())) {
			continue
		}
		if f, ok := listedAs(e.Name(), info); ok {
			page.Files = append(page.Files, f)
		}
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-cache")
	if r.Method == http.MethodHead {
		return nil
	}
	if err := listing.Execute(w, page); err != nil {
		h.log.Debug("listing not sent", "error", err)
	}
	return nil
}

func listedAs(name string, info fs.FileInfo) (listed, bool) {
	switch {
	case info.IsDir():
		name += "/"
		return listed{Name: name, Link: (&url.URL{Path: name}).String()}, true
	case info.Mode().IsRegular():
		return listed{name, (&url.URL{Path: name}).String(), size(info.Size())}, true
	}
	return listed{}, false
}

// size is a size in bytes for people.
func size(n int64) string {
	f, unit := float64(n), "B"
	for _, unit = range []string{"B", "KiB", "MiB", "GiB", "TiB"} {
		if f < 1000 {
			break
		}
		if unit != "TiB" {
			f /= 1024
		}
	}
	return fmt.Sprintf("%.3g %s", f, unit)
}
