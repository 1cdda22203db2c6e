package strict

import (
	"encoding"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"github.com/pelletier/go-toml/v2"
)

// problemOf is an error of the decoder, in words of a document's writer.
func problemOf(err error, text []byte, t reflect.Type) *Problem {
	var at *toml.DecodeError
	if !errors.As(err, &at) {
		return &Problem{Err: err}
	}
	said := strings.TrimPrefix(at.Error(), "toml: ")
	p := &Problem{Key: strings.Join(at.Key(), "."), Err: errors.New(said)}
	p.Line, _ = at.Position()
	of := typeAt(t, at.Key())
	switch {
	case of != nil && (strings.HasPrefix(said, "cannot ") || strings.Contains(said, "cannot be stored") || strings.Contains(said, "too large")):
		p.Err = fmt.Errorf("want %s", wanted(p.Key, of))
	case p.Key == "":
		p.Key = keyIn(text, p.Line)
		fallthrough
	default:
		p.Err = fmt.Errorf("%s%s", said, cure(said))
	}
	return p
}

// wanted is how a value of a type is written.
func wanted(key string, t reflect.Type) string {
	_, isText := reflect.New(t).Interface().(encoding.TextUnmarshaler)
	switch kind := t.Kind(); {
	case isText || kind == reflect.String:
		return `a text in quotes`
	case kind == reflect.Bool:
		return "true or false, without quotes"
	case kind == reflect.Uint16:
		return "a whole number without quotes, 0 to 65535"
	case kind >= reflect.Uint && kind <= reflect.Uint64:
		return "a whole number without quotes, 0 or more"
	case kind >= reflect.Int && kind <= reflect.Int64:
		return "a whole number without quotes"
	case isTables(t):
		return fmt.Sprintf("tables that begin with [[%s]]", key)
	case kind == reflect.Slice:
		return `a list of texts: ["a", "b"]`
	}
	return fmt.Sprintf("a table that begins with [%s]", key)
}

// cures are for what is no TOML, by words of the decoder.
var cures = []struct{ said, cure string }{
	{"must be quoted", `write "..."`},
	{"U+000A", "write key = value"},
	{"unexpected character", "a text is written in quotes, yes and no as true and false"},
	{"expected keyword", "a text is written in quotes, yes and no as true and false"},
	{"end of input", "write key = value"},
	{"cannot have new lines", "end the text with a quote on the same line"},
	{"array is incomplete", "end the list with ]"},
	{"already", "leave out one of the two"},
	{"]]", "a table of several begins with [[name]]"},
	{"expected '='", "write key = value"},
}

func cure(said string) string {
	for _, c := range cures {
		if strings.Contains(said, c.said) {
			return ": " + c.cure
		}
	}
	return `: a line is key = value, [table] or # comment; texts are in quotes`
}

// keyIn is what a line that is no TOML seems to be about.
func keyIn(text []byte, line int) string {
	lines := strings.Split(string(text), "\n")
	if line < 1 || line > len(lines) {
		return ""
	}
	key, _, _ := strings.Cut(lines[line-1], "=")
	if key = strings.Trim(key, " \t[]\""); len(key) > 40 || strings.ContainsFunc(key, isNoKey) {
		return ""
	}
	return key
}

func isNoKey(r rune) bool {
	return !strings.ContainsRune("-_.", r) && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
}

// typeAt is the type of the value at a path, which may leave out the numbers of tables;
// nil if there is no such key.
func typeAt(t reflect.Type, path []string) reflect.Type {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if len(path) == 0 {
		return t
	}
	if isTables(t) {
		if _, err := strconv.Atoi(path[0]); err == nil {
			path = path[1:]
		}
		return typeAt(element(t), path)
	}
	if t.Kind() != reflect.Struct {
		return nil
	}
	for _, field := range reflect.VisibleFields(t) {
		if nameOf(field) == path[0] {
			return typeAt(field.Type, path[1:])
		}
	}
	return nil
}
