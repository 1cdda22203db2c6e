// Package strict reads TOML that people write: a key that nobody knows is an error
// that names the line, and the key that was probably meant.
package strict

import (
	"bytes"
	"encoding"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/pelletier/go-toml/v2"
)

// Decode reads a document into a pointer to a struct. What is not in the document
// stays as it is.
func Decode(text []byte, into any) error {
	err := toml.NewDecoder(bytes.NewReader(text)).DisallowUnknownFields().Decode(into)
	var unknown *toml.StrictMissingError
	if errors.As(err, &unknown) && len(unknown.Errors) > 0 {
		return unknownKey(&unknown.Errors[0], into)
	}
	return located(err)
}

// located says in which line a document is wrong.
func located(err error) error {
	var at *toml.DecodeError
	if !errors.As(err, &at) {
		return err
	}
	line, column := at.Position()
	return fmt.Errorf("line %d, column %d: %w", line, column, err)
}

func unknownKey(at *toml.DecodeError, into any) error {
	line, _ := at.Position()
	key := at.Key()
	known := keysOf(reflect.TypeOf(into), key[:len(key)-1])
	err := fmt.Errorf("line %d: unknown key %q", line, strings.Join(key, "."))
	switch near := nearest(key[len(key)-1], known); {
	case near != "":
		return fmt.Errorf("%w: did you mean %q?", err, near)
	case len(known) > 0:
		return fmt.Errorf("%w: the keys are %s", err, strings.Join(known, ", "))
	}
	return err
}

// keysOf are the keys of the table at path, in the order of the struct's fields.
func keysOf(t reflect.Type, path []string) []string {
	t = element(t)
	if t.Kind() != reflect.Struct {
		return nil
	}
	var keys []string
	for i := range t.NumField() {
		field := t.Field(i)
		name, _, _ := strings.Cut(field.Tag.Get("toml"), ",")
		switch {
		case name == "" || name == "-":
		case len(path) == 0:
			keys = append(keys, name)
		case name == path[0]:
			return keysOf(field.Type, path[1:])
		}
	}
	return keys
}

// element is what a pointer or list is of.
func element(t reflect.Type) reflect.Type {
	text := reflect.TypeFor[encoding.TextUnmarshaler]()
	for (t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice) && !t.Implements(text) {
		t = t.Elem()
	}
	return t
}

// nearest is the known word that key is most like, "" if it is like none.
func nearest(key string, known []string) string {
	best, least := "", max(1, len(key)/3)+1
	for _, word := range known {
		if d := distance(strings.ToLower(key), word); d < least {
			best, least = word, d
		}
	}
	return best
}

// distance is how many letters must be put in, left out, replaced or swapped with the
// next.
func distance(a, b string) int {
	var before, above, row []int // lines of the table; row is the one of a[:i]
	for i := range len(a) + 1 {
		before, above, row = above, row, make([]int, len(b)+1)
		for j := range row {
			switch {
			case i == 0 || j == 0:
				row[j] = i + j
				continue
			case a[i-1] == b[j-1]:
				row[j] = above[j-1]
			default:
				row[j] = 1 + min(above[j-1], above[j], row[j-1])
			}
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], 1+before[j-2])
			}
		}
	}
	return row[len(b)]
}
