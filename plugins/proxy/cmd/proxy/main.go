// Command proxy is a plugin that passes on to an HTTP or TCP service of the host.
// Onelease starts it:
//
//	go build ./plugins/proxy/cmd/proxy
//	onelease plugin add ./proxy --settings proxy.toml
//
// Started by hand, it prints its settings.
package main

import (
	"github.com/onelease/onelease/backend"
	"github.com/onelease/onelease/plugins/proxy"
)

func main() { backend.Serve(&proxy.Service{}) }
