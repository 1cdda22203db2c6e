// Package plugins has the ready services; its tests are about all of them.
package plugins

import (
	"encoding"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/onelease/onelease/backend"
	"github.com/onelease/onelease/plugins/echo"
	"github.com/onelease/onelease/plugins/proxy"
	"github.com/onelease/onelease/plugins/site"
)

var services = map[string]backend.Settings{
	"echo": &echo.Service{}, "site": &site.Service{}, "proxy": &proxy.Service{},
}

// docs/services.md has the settings as the code has them.
func TestSettingsAreDocumented(t *testing.T) {
	text, err := os.ReadFile("../docs/services.md")
	if err != nil {
		t.Fatal(err)
	}
	for name, s := range services {
		if table := tableOf(t, s); !strings.Contains(string(text), table) {
			t.Errorf("docs/services.md does not have the settings of %s as they are:\n%s", name, table)
		}
	}
}

// tableOf is the settings of a Service as a table in Markdown.
func tableOf(t *testing.T, s backend.Settings) string {
	t.Helper()
	s.SetDefaults()
	var table strings.Builder
	table.WriteString("| setting | default | what it is |\n|---|---|---|\n")
	v := reflect.ValueOf(s).Elem()
	for i := range v.NumField() {
		tag := v.Type().Field(i).Tag
		if tag.Get("toml") == "" || tag.Get("comment") == "" {
			t.Errorf("%T: field %s has no toml or comment tag", s, v.Type().Field(i).Name)
		}
		fmt.Fprintf(&table, "| `%s` | %s | %s |\n", tag.Get("toml"), shown(t, v.Field(i)), tag.Get("comment"))
	}
	return table.String()
}

// shown is a value as TOML would have it.
func shown(t *testing.T, v reflect.Value) string {
	t.Helper()
	if m, ok := v.Interface().(encoding.TextMarshaler); ok {
		text, err := m.MarshalText()
		if err != nil {
			t.Error(err)
		}
		return fmt.Sprintf("`%q`", text)
	}
	switch v.Kind() {
	case reflect.String:
		return fmt.Sprintf("`%q`", v.String())
	case reflect.Slice:
		var parts []string
		for i := range v.Len() {
			parts = append(parts, strings.Trim(shown(t, v.Index(i)), "`"))
		}
		return "`[" + strings.Join(parts, ", ") + "]`"
	}
	return fmt.Sprintf("`%v`", v.Interface())
}

// The zero value of a Service has the defaults, and they are sound but for what must
// be set.
func TestDefaults(t *testing.T) {
	for name, s := range services {
		s.SetDefaults()
		again := reflect.New(reflect.TypeOf(s).Elem())
		again.Elem().Set(reflect.ValueOf(s).Elem())
		again.Interface().(backend.Settings).SetDefaults()
		if !reflect.DeepEqual(again.Interface(), s) {
			t.Errorf("%s: defaults of defaults are %+v, want %+v", name, again.Interface(), s)
		}
		if err := s.Check(); err != nil && !strings.Contains(err.Error(), "empty") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
