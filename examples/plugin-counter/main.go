// Command plugin-counter is a plugin that counts its visitors over HTTP. Onelease
// starts it, hands it the connections of browsers, and starts it again when it dies:
//
//	go build -o counter ./examples/plugin-counter
//	./counter                # says what it is, and which settings it has
//	onelease plugin add ./counter
//
// The number is kept in a file, so that it survives that.
package main

import (
	"context"
	"fmt"
	"html/template"
	"log/slog"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"

	"github.com/onelease/onelease/backend"
)

func main() { backend.Serve(&counter{}, backend.ServeName("counter")) }

// counter is the service; its fields with tags are the plugin's settings.
type counter struct {
	Port  uint16 `toml:"port" comment:"I2P port; browsers connect to 80"`
	Title string `toml:"title" comment:"title of the page"`
	File  string `toml:"file" comment:"absolute path of the file that keeps the number; empty: it begins at 0 with each start"`

	log   *slog.Logger
	mu    sync.Mutex
	count int
}

// SetDefaults implements backend.Settings.
func (c *counter) SetDefaults() {
	if c.Port == 0 {
		c.Port = 80
	}
	if c.Title == "" {
		c.Title = "Welcome"
	}
}

// Check implements backend.Settings: what is wrong is told before the plugin is ready.
func (c *counter) Check() error {
	if c.File == "" {
		return nil
	}
	_, err := load(c.File)
	return err
}

// Serve implements backend.Service. When ctx ends, requests under way are finished.
func (c *counter) Serve(ctx context.Context, node backend.Node) (err error) {
	c.SetDefaults()
	c.log = node.Logger()
	if c.File != "" {
		if c.count, err = load(c.File); err != nil {
			return err
		}
	}
	return backend.HTTP(c.Port, http.HandlerFunc(c.page)).Serve(ctx, node)
}

func load(file string) (int, error) {
	b, err := os.ReadFile(file)
	if os.IsNotExist(err) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("counter: setting file: %w", err)
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil {
		return 0, fmt.Errorf("counter: setting file: %s holds no number", file)
	}
	return n, nil
}

var page = template.Must(template.New("").Parse(`<!DOCTYPE html>
<title>{{.Title}}</title>
<h1>{{.Title}}</h1>
<p>You are visitor number {{.Number}}.</p>
`))

func (c *counter) page(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/" {
		http.NotFound(w, r)
		return
	}
	page.Execute(w, map[string]any{"Title": c.Title, "Number": c.next()})
}

// next counts a visitor.
func (c *counter) next() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.count++
	if c.File != "" {
		if err := save(c.File, c.count); err != nil {
			c.log.Error("the number of visitors is not saved", "error", err)
		}
	}
	return c.count
}

// save replaces the file, so that it holds the old number or the new one.
func save(file string, n int) error {
	if err := os.WriteFile(file+".new", strconv.AppendInt(nil, int64(n), 10), 0o600); err != nil {
		return err
	}
	return os.Rename(file+".new", file)
}

var _ backend.Settings = (*counter)(nil)
