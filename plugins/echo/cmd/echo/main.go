// Command echo is a plugin that sends back what comes. Onelease starts it:
//
//	go build ./plugins/echo/cmd/echo
//	onelease plugin add ./echo
//
// Without Onelease, examples/echo shows such a service in a program of its own.
package main

import (
	"github.com/onelease/onelease/backend"
	"github.com/onelease/onelease/plugins/echo"
)

func main() { backend.Serve(&echo.Service{}) }
