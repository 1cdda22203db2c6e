package upd

import (
	"reflect"
	"strings"
	"testing"

	"github.com/onelease/onelease/internal/daemon"
	"github.com/onelease/onelease/internal/strict"
)

func small() Config {
	c := Default()
	c.Dir, c.Routers, c.Services = "d", []Router{{Name: "a", Address: "127.0.0.1:7654"}}, []daemon.Service{{Builtin: "echo"}}
	return c
}

// The tags have the defaults that the code has: to write them changes nothing.
func TestDefaultsAreTagged(t *testing.T) {
	var text strings.Builder
	for _, k := range strict.Keys(Config{}) {
		if k.Default != "" && k.Table == nil {
			text.WriteString(k.Name + " = " + k.Default + "\n")
		}
	}
	var written Config
	if err := strict.Decode([]byte(text.String()), &written); err != nil || !reflect.DeepEqual(written, Default()) {
		t.Errorf("%+v, %v; want %+v", written, err, Default())
	}
}

// What works, but less well than it could, is said.
func TestWarnings(t *testing.T) {
	router := func(name string, roles ...string) Router {
		return Router{Name: name, Address: "127.0.0.1:1", Roles: roles}
	}
	for _, c := range []struct {
		routers []Router
		want    []string
	}{
		{[]Router{router("a", "member"), router("b", "member"), router("c", "publisher")}, nil},
		{[]Router{router("a", "member"), router("b", "member", "publisher")}, []string{"router b is member and publisher"}},
		{[]Router{router("a")}, []string{"router a is member and publisher", "one router is a member"}},
		{[]Router{router("a", "member"), router("b", "member", "publisher"), router("c", "refuge")}, []string{"router b is", "a refuge does nothing"}},
	} {
		cfg := small()
		cfg.Routers = c.routers
		cfg, err := cfg.complete()
		got := cfg.warnings()
		if err != nil || len(got) != len(c.want) {
			t.Errorf("%+v: %q, %v; want %q", c.routers, got, err, c.want)
			continue
		}
		for i, text := range got {
			if !strings.Contains(text, c.want[i]) {
				t.Errorf("%+v: %q, want %q", c.routers, text, c.want[i])
			}
		}
	}
}

// A router is tested unless it is said how it is, and the only one is both.
func TestRouters(t *testing.T) {
	c, err := small().complete()
	if err != nil || c.Routers[0].DontPublish != "auto" || len(c.Routers[0].Roles) != 2 {
		t.Errorf("%+v, %v", c.Routers, err)
	}
	c.Routers[0].DontPublish = "inverted"
	if r, err := c.routers(); err != nil || r[0].DontPublish != "inverted" || !r[0].Member || !r[0].Publisher {
		t.Errorf("%+v, %v", r, err)
	}
	for _, k := range strict.Keys(Config{}) {
		for _, inner := range k.Table {
			if inner.Name == "dont-publish" && inner.Default != `"auto"` {
				t.Errorf("the tag says %s", inner.Default)
			}
		}
	}
}
