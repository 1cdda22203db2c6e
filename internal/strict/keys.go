package strict

import (
	"encoding"
	"fmt"
	"reflect"
	"strings"
)

// A Key is one of a role's file, as the tags of the struct's field have it:
//
//	Listen []string `toml:"listen" value:"host:port" default:"127.0.0.1:7656" comment:"where clients connect"`
//
// The table of keys is what the example of a file, the reference in docs/ and the flags
// of commands are made of.
type Key struct {
	Name string
	// Flag is the name of the flag that says the same, from the tag "flag" if it is not
	// Name. "-" says that there is none.
	Flag string
	// Value is what a value is: a word such as file or host:port.
	Value string
	// Default is what counts if the key is left out, Example a value to show in its place,
	// both as they are in TOML; empty if there is none.
	Default, Example string
	// Comment says what the key is for.
	Comment string
	// Shown says that an example has the key as a line that counts, since there must be
	// one.
	Shown bool
	// Reload says that SIGHUP has a value that was changed, or the file that it names, take
	// effect.
	Reload bool
	// Type is that of the field. Table are the keys of a table of which there may be
	// several.
	Type  reflect.Type
	Table []Key
}

// Keys are the keys of a struct or of a pointer to one, in the order of its fields. Those of
// a struct that is embedded are among them.
func Keys(config any) []Key { return keys(reflect.TypeOf(config)) }

func keys(t reflect.Type) (all []Key) {
	for _, field := range reflect.VisibleFields(element(t)) {
		name := nameOf(field)
		if name == "" {
			continue
		}
		tag := field.Tag
		key := Key{
			Name: name, Flag: tag.Get("flag"), Value: tag.Get("value"), Comment: tag.Get("comment"),
			Shown: tag.Get("shown") != "", Reload: tag.Get("reload") != "", Type: field.Type,
		}
		key.Default, key.Example = written(field.Type, tag.Get("default")), written(field.Type, tag.Get("example"))
		if key.Flag == "" {
			key.Flag = name
		}
		if isTables(field.Type) {
			key.Table = keys(field.Type)
		}
		all = append(all, key)
	}
	return all
}

// written is the text of a tag as a value in TOML.
func written(t reflect.Type, text string) string {
	_, isText := reflect.New(t).Interface().(encoding.TextUnmarshaler)
	switch {
	case text == "":
		return ""
	case isText || t.Kind() == reflect.String:
		return fmt.Sprintf("%q", text)
	case t.Kind() == reflect.Slice:
		return `["` + strings.ReplaceAll(text, ",", `", "`) + `"]`
	}
	return text
}

// Kind is a word for what is written: text, list, number, true or false, table.
func (k *Key) Kind() string {
	_, isText := reflect.New(k.Type).Interface().(encoding.TextUnmarshaler)
	switch kind := k.Type.Kind(); {
	case k.Table != nil:
		return "tables"
	case kind == reflect.Slice:
		return "list"
	case kind == reflect.Map:
		return "table"
	case kind == reflect.Bool:
		return "true or false"
	case isText || kind == reflect.String:
		return "text"
	}
	return "number"
}

// empty is a value of the key's kind, for an example that has no better one.
func (k *Key) empty() string {
	switch k.Kind() {
	case "list":
		return "[]"
	case "table":
		return "{}"
	case "text":
		return `""`
	case "number":
		return "0"
	}
	return "false"
}
