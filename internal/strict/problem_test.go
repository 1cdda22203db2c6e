package strict

import (
	"encoding"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

// span is a duration that needs a unit.
type span time.Duration

func (s *span) UnmarshalText(text []byte) error {
	d, err := time.ParseDuration(string(text))
	if err != nil {
		return fmt.Errorf("%q needs a unit", text)
	}
	*s = span(d)
	return nil
}

var _ encoding.TextUnmarshaler = (*span)(nil)

type role struct {
	Key    string   `toml:"key" value:"file" shown:"yes" example:"k" comment:"a file"`
	Limit  span     `toml:"limit" default:"5m" comment:"how long"`
	Names  []string `toml:"names" example:"a,b" comment:"who"`
	On     bool     `toml:"on" flag:"-" default:"false" comment:"whether" reload:"yes"`
	Inners []struct {
		Path         string `toml:"path" value:"path" example:"p" comment:"where"`
		PasswordFile string `toml:"password-file" value:"file" example:"pw" comment:"a secret"`
		Settings     Table  `toml:"settings" comment:"settings"`
	} `toml:"inner" comment:"tables"`
	Hidden int `toml:"-"`
	embedded
}

// embedded has keys of a role too.
type embedded struct {
	Other string `toml:"other" value:"file" example:"o" comment:"a file"`
}

// All that is wrong is told at once, in the order of the lines.
func TestProblems(t *testing.T) {
	_, err := Read([]byte("lmit = 1\nlimit = 300\n[inner]\npassword = \"x\"\n"), &role{})
	var all Problems
	if !errors.As(err, &all) || len(all) != 4 {
		t.Fatal(err)
	}
	for i, want := range []Problem{{Line: 1, Key: "lmit"}, {Line: 2, Key: "limit"}, {Line: 3, Key: "inner"}, {Line: 4, Key: "inner.password"}} {
		if all[i].Line != want.Line || all[i].Key != want.Key {
			t.Errorf("problem %d: %+v, want %+v", i, all[i], want)
		}
	}
	if text := err.Error(); !strings.HasPrefix(text, "line 1: ") || !strings.Contains(text, "(and 3 more)") || strings.Contains(text, "\n") {
		t.Error(text)
	}
}

// The line of an error is that of its key, or of the nearest table that has it.
func TestLocate(t *testing.T) {
	d, err := Read([]byte("key = \"x\"\n\n[[inner]]\npath = \"a\"\n[[inner]]\n\npath = \"b\"\nsettings = { a = 1, b = { c = 2 } }\n[[inner]]\n[inner.settings]\nd.e = 3\n"), &role{})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		path []any
		line int
		key  string
	}{
		{[]any{"key"}, 1, "key"},
		{[]any{"inner"}, 3, "inner"},
		{[]any{"inner", 0, "path"}, 4, "inner.path"},
		{[]any{"inner", 1, "path"}, 7, "inner.path"},
		{[]any{"inner", 1, ""}, 5, "inner"},
		{[]any{"inner", 1, "password-file"}, 5, "inner.password-file"},
		{[]any{"inner", 1, "settings", "b", "c"}, 8, "inner.settings.b.c"},
		{[]any{"inner", 2, "settings", "d", "e"}, 11, "inner.settings.d.e"},
		{[]any{"names"}, 0, "names"},
	} {
		err := d.Locate(fmt.Errorf("outer: %w", At(os.ErrInvalid, test.path...)))
		var p *Problem
		if !errors.As(err, &p) || p.Line != test.line || p.Key != test.key || !errors.Is(err, os.ErrInvalid) {
			t.Errorf("%v: %+v, want line %d of %s", test.path, err, test.line, test.key)
		}
	}
	if At(nil, "key") != nil || d.Locate(os.ErrInvalid) != os.ErrInvalid || TopKey(os.ErrInvalid) != "" || TopKey(At(os.ErrInvalid, "inner", 0)) != "inner" {
		t.Error("what is of no key has changed")
	}
}

// The place of what Decode said of a table goes on below the table's.
func TestWithin(t *testing.T) {
	d, _ := Read([]byte("[[inner]]\nsettings = { limit = 3 }\n"), &role{})
	err := d.Locate(Within(Decode([]byte("\n\nlimit = 3\n"), &role{}), "inner", 0, "settings"))
	var p *Problem
	if !errors.As(err, &p) || p.Line != 2 || p.Key != "inner.settings.limit" || strings.Contains(p.Error(), "line 3") {
		t.Error(err)
	}
}

func TestReadFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "role.toml")
	write := func(text string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("key = \"a/b\"\nother = \"e\"\n[[inner]]\npath = \"/c\"\npassword-file = \"d\"\n")
	var r role
	if _, err := ReadFile(path, &r); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Dir(path)
	if r.Key != filepath.Join(dir, "a/b") || r.Other != filepath.Join(dir, "e") || r.Inners[0].Path != "/c" || r.Inners[0].PasswordFile != filepath.Join(dir, "d") {
		t.Errorf("%+v", r)
	}
	write("\n[[inner]]\npassword-file = \"\"\"hunter2\n\"\"\"\n")
	_, err := ReadFile(path, &role{})
	var p *Problem
	if !errors.As(err, &p) || p.Line != 3 || strings.Contains(err.Error(), "hunter2") {
		t.Error(err)
	}
	write(strings.Repeat("#", maxFile+1))
	if _, err := ReadFile(path, &role{}); err == nil || !strings.Contains(err.Error(), "no configuration") {
		t.Error(err)
	}
}

func TestExample(t *testing.T) {
	want := `
# a file
key = "k"

# how long
#limit = "5m"

# who; not set by default
#names = ["a", "b"]

# whether; read again on SIGHUP
#on = false

# a file; not set by default
#other = "o"

# tables
#[[inner]]
# where; not set by default
#path = "p"
# a secret; not set by default
#password-file = "pw"
# settings
#settings = {}
`
	if got := Example(Keys(&role{})); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	k := Keys(role{})
	if len(k) != 6 || k[1].Flag != "limit" || k[3].Flag != "-" || !k[3].Reload || len(k[4].Table) != 3 {
		t.Errorf("%+v", k)
	}
	kinds := []string{}
	for _, key := range k {
		kinds = append(kinds, key.Kind())
	}
	if !reflect.DeepEqual(kinds, []string{"text", "text", "list", "true or false", "tables", "text"}) {
		t.Error(kinds)
	}
}

// FuzzRead: whatever is read, there is no panic, and what decodes says where its keys are.
func FuzzRead(f *testing.F) {
	for _, text := range []string{
		"key = \"x\"\nlimit = \"5m\"\n", "[[inner]]\nsettings = { a = { b = 1 } }\n[inner.settings.c]\nd = 1", "[inner]\n", "inner = [{path='a'}, {path='b'}]",
		"limit = 3\nnames = [[1]]\n", "a.b.c = 1", "\"\" = 1", "[[inner]]\n[[inner.x]]\n[inner.x.y]\n", "= 1", "key = \"\"\"\n", "[[[",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		d, err := Read(text, &role{})
		var all Problems
		if err != nil && (!errors.As(err, &all) || len(all) == 0 || err.Error() == "") {
			t.Errorf("%q: %v", text, err)
		}
		for _, key := range d.order {
			if p := d.places[key]; p.line < 1 || p.line > strings.Count(string(text), "\n")+1 {
				t.Errorf("%q: %q is in line %d", text, p.path, p.line)
			}
		}
	})
}
