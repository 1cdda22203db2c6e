package upd

import (
	"reflect"
	"strings"
	"testing"

	"github.com/onelease/onelease/internal/daemon"
	"github.com/onelease/onelease/internal/strict"
)

func small() Config {
	return Config{Dir: "d", Routers: []Router{{Name: "a", Address: "127.0.0.1:7654"}}, Services: []daemon.Service{{Builtin: "echo"}}}
}

// The tags have the defaults that the code has: to write them changes nothing.
func TestDefaultsAreTagged(t *testing.T) {
	want, err := small().complete()
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	for _, k := range strict.Keys(Config{}) {
		if k.Default != "" && k.Table == nil {
			text.WriteString(k.Name + " = " + k.Default + "\n")
		}
	}
	written := small()
	if err := strict.Decode([]byte(text.String()), &written); err != nil {
		t.Fatal(err)
	}
	if reflect.DeepEqual(written, small()) {
		t.Error("no defaults")
	}
	got, err := written.complete()
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v; want %+v", got, err, want)
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
