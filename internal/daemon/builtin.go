package daemon

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/onelease/onelease/backend"
	"github.com/onelease/onelease/internal/strict"
	"github.com/onelease/onelease/plugins/echo"
	"github.com/onelease/onelease/plugins/proxy"
	"github.com/onelease/onelease/plugins/site"
)

// builtins are the services that need no process of their own.
var builtins = map[string]func() backend.Settings{
	"echo":  func() backend.Settings { return &echo.Service{} },
	"proxy": func() backend.Settings { return &proxy.Service{} },
	"site":  func() backend.Settings { return &site.Service{} },
}

// Builtins are their names.
func Builtins() []string { return slices.Sorted(maps.Keys(builtins)) }

// newBuiltin is one of them with its settings, which are checked.
func newBuiltin(name, settings string) (backend.Service, error) {
	create := builtins[name]
	if create == nil {
		return nil, fmt.Errorf("%w: no built-in service %q: there are %s", ErrConfig, name, strings.Join(Builtins(), ", "))
	}
	service := create()
	if err := strict.Decode([]byte(settings), service); err != nil {
		return nil, fmt.Errorf("%w: settings: %w", ErrConfig, err)
	}
	service.SetDefaults()
	return service, service.Check()
}
