package strict

import (
	"encoding"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/pelletier/go-toml/v2/unstable"
)

// maxFile bounds what is read of a file, in bytes.
const maxFile = 1 << 20

// A Document knows in which lines its keys are.
type Document struct {
	places map[string]place // by the path, joined
	order  []string         // of the paths
}

// A place is where a key is, and what it has.
type place struct {
	path []string
	line int
	kind unstable.Kind // of the value, or Table or ArrayTable
	raw  string        // the value as it is written, if it is no table, list or text
}

func join(path []string) string { return strings.Join(path, "\x00") }

// ReadFile decodes a file. Paths in it, which are the keys whose tag "value" is file,
// directory or path, are relative to where it is.
func ReadFile(path string, into any) (*Document, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, err
	}
	if len(text) > maxFile {
		return nil, fmt.Errorf("over %d bytes: this is no configuration", maxFile)
	}
	d, err := Read(text, into)
	if err == nil {
		err = d.resolvePaths(reflect.ValueOf(into).Elem(), filepath.Dir(path), nil)
	}
	return d, err
}

// Locate adds the line to an error that has a key by At.
func (d *Document) Locate(err error) error {
	var at *keyError
	if d == nil || !errors.As(err, &at) {
		return err
	}
	return &Problem{Line: d.line(at.path), Key: dotted(at.path), Err: err}
}

// line is that of the key, or else of the table that lacks it; 0 if there is neither.
func (d *Document) line(path []string) int {
	for ; len(path) > 0; path = path[:len(path)-1] {
		if p, found := d.places[join(path)]; found {
			return p.line
		}
	}
	return 0
}

// An indexer finds the places of keys.
type indexer struct {
	Document
	parser unstable.Parser
	table  []string
	counts map[string]int // of tables in a list
}

// indexOf is what is to be known of a document, as far as it is TOML.
func indexOf(text []byte) *Document {
	x := indexer{Document: Document{places: map[string]place{}}, counts: map[string]int{}}
	x.parser.Reset(text)
	for x.parser.NextExpression() {
		x.expression(x.parser.Expression())
	}
	return &x.Document
}

func (x *indexer) expression(e *unstable.Node) {
	switch e.Kind {
	case unstable.Table:
		x.table = x.resolve(namesOf(e))
		x.put(x.table, e, e)
	case unstable.ArrayTable:
		list := x.resolve(namesOf(e))
		n := x.counts[join(list)]
		x.counts[join(list)]++
		x.table = slices.Concat(list, []string{strconv.Itoa(n)})
		x.put(list, e, e)
		x.put(x.table, e, e)
	case unstable.KeyValue:
		x.keyValue(x.table, e)
	}
}

func (x *indexer) keyValue(table []string, e *unstable.Node) {
	path := slices.Concat(table, namesOf(e))
	value := e.Value()
	x.put(path, e, value)
	children := value.Children()
	switch value.Kind {
	case unstable.InlineTable:
		for children.Next() {
			x.keyValue(path, children.Node())
		}
	case unstable.Array:
		for i := 0; children.Next(); i++ {
			if element := children.Node(); element.Kind == unstable.InlineTable {
				for inner := element.Children(); inner.Next(); {
					x.keyValue(slices.Concat(path, []string{strconv.Itoa(i)}), inner.Node())
				}
			}
		}
	}
}

// put notes where the key of e is.
func (x *indexer) put(path []string, e, value *unstable.Node) {
	names := e.Key()
	if !names.Next() {
		return
	}
	p := place{path: path, line: x.parser.Shape(names.Node().Raw).Start.Line, kind: value.Kind}
	switch value.Kind {
	case unstable.Integer, unstable.Float, unstable.Bool:
		p.raw = string(value.Data)
	}
	if _, again := x.places[join(path)]; !again {
		x.places[join(path)] = p
		x.order = append(x.order, join(path))
	}
}

// resolve puts in the numbers of the tables that a header continues.
func (x *indexer) resolve(names []string) (path []string) {
	for i, name := range names {
		path = append(path, name)
		if n := x.counts[join(path)]; n > 0 && i < len(names)-1 {
			path = append(path, strconv.Itoa(n-1))
		}
	}
	return path
}

func namesOf(e *unstable.Node) (names []string) {
	for it := e.Key(); it.Next(); {
		names = append(names, string(it.Node().Data))
	}
	return names
}

// meant are problems that decoding does not see: a table in the place of a list of them,
// and a number without a unit, which is decoded as one of the smallest.
func (d *Document) meant(t reflect.Type) (found Problems) {
	for _, key := range d.order {
		p := d.places[key]
		of := typeAt(t, p.path)
		if of == nil {
			continue
		}
		if p.kind == unstable.Table && isTables(of) {
			name := dotted(p.path)
			found = append(found, &Problem{p.line, name, fmt.Errorf("[%s] is one of several: write [[%s]]", name, name)})
		}
		text, isText := reflect.New(of).Interface().(encoding.TextUnmarshaler)
		if p.raw == "" || !isText {
			continue
		}
		if err := text.UnmarshalText([]byte(p.raw)); err != nil {
			found = append(found, &Problem{p.line, dotted(p.path), err})
		}
	}
	return found
}

// isTables reports whether t is a list of tables.
func isTables(t reflect.Type) bool {
	return t.Kind() == reflect.Slice && element(t).Kind() == reflect.Struct
}
