package strict

import (
	"errors"
	"path/filepath"
	"reflect"
	"strings"
)

// isPath are the values of the tag "value" that are paths.
var isPath = map[string]bool{"file": true, "directory": true, "path": true}

// maxPath is longer than any path that is meant as one.
const maxPath = 1024

// errNoPath does not show the value: it may be a private key.
var errNoPath = errors.New("want the path of a file: what is in the file is not written here, where others can read it")

// resolvePaths makes paths relative to dir those that they are from here.
func (d *Document) resolvePaths(v reflect.Value, dir string, path []any) error {
	for _, of := range reflect.VisibleFields(v.Type()) {
		field, tag := v.FieldByIndex(of.Index), of.Tag
		at := append(path[:len(path):len(path)], nameOf(of))
		switch {
		case isTables(field.Type()):
			for n := range field.Len() {
				if err := d.resolvePaths(field.Index(n), dir, append(at, n)); err != nil {
					return err
				}
			}
		case isPath[tag.Get("value")]:
			text, err := resolve(field.String(), dir)
			if err != nil {
				return Problems{d.Locate(At(err, at...)).(*Problem)}
			}
			field.SetString(text)
		}
	}
	return nil
}

func resolve(path, dir string) (string, error) {
	switch {
	case len(path) > maxPath || strings.ContainsAny(path, "\n\r\x00"):
		return "", errNoPath
	case path == "" || filepath.IsAbs(path):
		return path, nil
	}
	return filepath.Join(dir, path), nil
}
