// Package strict reads TOML that people write: a key that nobody knows is an error
// that names the line, and the key that was probably meant.
package strict

import (
	"bytes"
	"encoding"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"
)

// Decode reads a document into a pointer to a struct. What is not in the document
// stays as it is. An error is Problems.
func Decode(text []byte, into any) error {
	_, err := Read(text, into)
	return err
}

// Read is Decode that says as well where the keys are.
func Read(text []byte, into any) (*Document, error) {
	t := reflect.TypeOf(into)
	d := indexOf(text)
	err := toml.NewDecoder(bytes.NewReader(text)).DisallowUnknownFields().Decode(into)
	var unknown *toml.StrictMissingError
	if err != nil && !errors.As(err, &unknown) {
		return d, Problems{problemOf(err, text, t)}
	}
	var found Problems
	if unknown != nil {
		for i := range unknown.Errors {
			found = append(found, unknownKey(&unknown.Errors[i], t))
		}
	}
	if found = append(found, d.meant(t)...); len(found) > 0 {
		slices.SortStableFunc(found, func(a, b *Problem) int { return a.Line - b.Line })
		return d, found
	}
	return d, nil
}

func unknownKey(at *toml.DecodeError, t reflect.Type) *Problem {
	line, _ := at.Position()
	key := at.Key()
	last := key[len(key)-1]
	known := keysOf(t, key[:len(key)-1])
	err := fmt.Errorf("unknown key %q", strings.Join(key, "."))
	near := nearest(last, known)
	switch {
	case isSecret(last):
		err = fmt.Errorf("%w: a secret is not written here, where backups and others get it; put it into a file that only its owner may read%s", err, fileFor(last, known))
	case near != "":
		err = fmt.Errorf("%w: did you mean %q?", err, near)
	case len(known) > 0:
		err = fmt.Errorf("%w: the keys are %s", err, strings.Join(known, ", "))
	default:
		err = fmt.Errorf("%w: leave it out, there are no settings here", err)
	}
	return &Problem{Line: line, Key: strings.Join(key, "."), Err: err}
}

// isSecret reports whether a key would have a secret as its value.
func isSecret(key string) bool {
	key = strings.ToLower(key)
	for _, end := range []string{"file", "fd"} {
		if strings.HasSuffix(key, end) {
			return false
		}
	}
	for _, word := range []string{"password", "passphrase", "secret", "token", "private"} {
		if strings.Contains(key, word) {
			return true
		}
	}
	return false
}

// fileFor says which of the keys names a file with what key would have.
func fileFor(key string, known []string) string {
	for _, name := range append([]string{strings.ToLower(key) + "-file"}, known...) {
		isOne := strings.HasSuffix(name, "password-file") || strings.HasSuffix(name, "passphrase-file") || strings.HasPrefix(name, strings.ToLower(key))
		if isOne && slices.Contains(known, name) {
			return fmt.Sprintf(", and name that by %q", name)
		}
	}
	return ""
}

// keysOf are the keys of the table at path, in the order of the struct's fields.
func keysOf(t reflect.Type, path []string) []string {
	t = element(t)
	if t.Kind() != reflect.Struct {
		return nil
	}
	var keys []string
	for _, field := range reflect.VisibleFields(t) {
		name := nameOf(field)
		switch {
		case name == "":
		case len(path) == 0:
			keys = append(keys, name)
		case name == path[0]:
			return keysOf(field.Type, path[1:])
		}
	}
	return keys
}

// nameOf is the key of a field, "" if it has none.
func nameOf(field reflect.StructField) string {
	name, _, _ := strings.Cut(field.Tag.Get("toml"), ",")
	if name == "-" {
		return ""
	}
	return name
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
