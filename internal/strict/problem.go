package strict

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// A Problem is one thing that is wrong with a document.
type Problem struct {
	// Line is where, from 1. It is 0 for what is in no line, as a key that is missing.
	Line int
	// Key is that of the value, with dots between tables; "" if there is none.
	Key string
	// Err says what is wrong, and what to do.
	Err error
}

// Error is the line, the key and the rest.
func (p *Problem) Error() string {
	text := p.Err.Error()
	if last := p.Key[strings.LastIndexByte(p.Key, '.')+1:]; !strings.Contains(text, last) {
		text = p.Key + ": " + text
	}
	if p.Line == 0 {
		return text
	}
	return fmt.Sprintf("line %d: %s", p.Line, text)
}

func (p *Problem) Unwrap() error { return p.Err }

// Problems are all that is wrong with a document, one at least.
type Problems []*Problem

// Error is the first of them, and how many more there are.
func (p Problems) Error() string {
	if len(p) == 1 {
		return p[0].Error()
	}
	return fmt.Sprintf("%v (and %d more)", p[0], len(p)-1)
}

func (p Problems) Unwrap() (errs []error) {
	for _, each := range p {
		errs = append(errs, each)
	}
	return errs
}

// A keyError is one of a key, before it is known in which line of which file that is.
type keyError struct {
	path []string
	err  error
}

func (e *keyError) Error() string { return e.err.Error() }
func (e *keyError) Unwrap() error { return e.err }

// At says of which key err is: names of keys, and after that of a list of tables the
// table's number, from 0; "" is none. It says the same as err, nil for nil, until a Document locates
// it.
func At(err error, path ...any) error {
	if err == nil {
		return nil
	}
	at := &keyError{err: err}
	for _, step := range path {
		if text := fmt.Sprint(step); text != "" {
			at.path = append(at.path, text)
		}
	}
	return at
}

// TopKey is the first name of the path that At has given err, "" if there is none.
func TopKey(err error) string {
	var at *keyError
	if !errors.As(err, &at) {
		return ""
	}
	return at.path[0]
}

// Within is At for what Decode says of a table in a document that was decoded by itself:
// the path continues with the key that is wrong, and the line in the table is forgotten.
func Within(err error, path ...any) error {
	var p *Problem
	if !errors.As(err, &p) || p.Key == "" {
		return At(err, path...)
	}
	text := &Problem{Key: p.Key, Err: p.Err}
	for _, name := range strings.Split(p.Key, ".") {
		path = append(path, name)
	}
	return At(errors.New(text.Error()), path...)
}

// dotted is a path without the numbers of tables.
func dotted(path []string) string {
	var names []string
	for _, step := range path {
		if _, err := strconv.Atoi(step); err != nil {
			names = append(names, step)
		}
	}
	return strings.Join(names, ".")
}
