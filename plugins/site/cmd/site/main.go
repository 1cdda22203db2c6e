// Command site is a plugin that serves the files of a directory. Onelease starts it:
//
//	go build ./plugins/site/cmd/site
//	onelease plugin add ./site --settings site.toml
//
// Started by hand, it prints its settings.
package main

import (
	"github.com/onelease/onelease/backend"
	"github.com/onelease/onelease/plugins/site"
)

func main() { backend.Serve(&site.Service{}) }
