package plugins_test

import (
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/onelease/onelease/backend"
	"github.com/onelease/onelease/backend/plugin"
	"github.com/onelease/onelease/backend/servicetest"
	"github.com/onelease/onelease/plugins/site"
)

// BenchmarkDownload is a file of 20 MB through the whole: a remote's streaming stack,
// a network in memory, the Host's stack and the site, as a plugin or in process.
func BenchmarkDownload(b *testing.B) {
	const size = 20_000_000
	root, _ := siteOf(b, size)
	asPlugin, err := plugin.New(plugin.Config{
		Name: "site", Path: build(b, "plugins/site/cmd/site"), Settings: fmt.Sprintf("root = %q", root),
	})
	if err != nil {
		b.Fatal(err)
	}
	for name, service := range map[string]backend.Service{"in-process": &site.Service{Root: root}, "plugin": asPlugin} {
		b.Run(name, func(b *testing.B) {
			w := servicetest.Start(b, service, servicetest.Options{})
			client := w.Remote().Client()
			b.SetBytes(size)
			get := func() (int64, error) {
				response, err := client.Get("http://" + w.Address(80) + "/file")
				if err != nil {
					return 0, err
				}
				defer response.Body.Close()
				return io.Copy(io.Discard, response.Body)
			}
			for { // until it listens, and its tags are computed
				if _, err := get(); err == nil {
					break
				}
				time.Sleep(10 * time.Millisecond)
			}
			for b.Loop() {
				if n, err := get(); n != size || err != nil {
					b.Fatalf("%d bytes, %v", n, err)
				}
			}
		})
	}
}
