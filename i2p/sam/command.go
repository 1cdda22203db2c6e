package sam

import (
	"bytes"
	"fmt"
	"iter"
	"strconv"
)

// A Command is one parsed line. It is reused from line to line and refers to
// the bytes that it was parsed from: what is to outlive the next line must be
// copied, as Value does.
type Command struct {
	// Kind is the line's row in the table, or KindUnknown.
	Kind Kind
	// Verb and Action are the first words in upper case, Action empty for a
	// line that has none.
	Verb, Action string
	// Text is what follows the space after PING or PONG.
	Text []byte

	options []option
}

type option struct{ key, value []byte }

// clone is a copy that outlives the line.
func (c *Command) clone() *Command {
	copied := *c
	copied.Text, copied.options = bytes.Clone(c.Text), make([]option, len(c.options))
	for i, o := range c.options {
		copied.options[i] = option{bytes.Clone(o.key), bytes.Clone(o.value)}
	}
	return &copied
}

// Has reports whether the option was given, with a value or without.
func (c *Command) Has(key string) bool {
	_, ok := c.find(key)
	return ok
}

// Value is a copy of the option's value, empty if it was not given.
func (c *Command) Value(key string) string {
	v, _ := c.find(key)
	return string(v)
}

// Bytes is the option's value in the line that was parsed, not to be kept, and
// whether it was given.
func (c *Command) Bytes(key string) ([]byte, bool) { return c.find(key) }

// Options are copies of all options, in their order in the line. A key without a
// value has an empty one.
func (c *Command) Options() iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		for _, o := range c.options {
			if !yield(string(o.key), string(o.value)) {
				return
			}
		}
	}
}

// Number is the option as a decimal number of at most limit, or fallback if
// it was not given or has no value.
func (c *Command) Number(key string, fallback, limit int) (int, error) {
	v, _ := c.find(key)
	if len(v) == 0 {
		return fallback, nil
	}
	n, ok := decimal(v, limit)
	if !ok {
		return 0, fmt.Errorf("%s=%.20q: want a number from 0 to %d: %w", key, v, limit, ErrSyntax)
	}
	return n, nil
}

// Bool is the option as true or false, fallback if it was not given. A key
// without a value is true, as in the Java router.
func (c *Command) Bool(key string, fallback bool) (bool, error) {
	v, ok := c.find(key)
	if !ok {
		return fallback, nil
	}
	if len(v) == 0 {
		return true, nil
	}
	b, err := strconv.ParseBool(string(v))
	if err != nil {
		return false, fmt.Errorf("%s=%.20q: want true or false: %w", key, v, ErrSyntax)
	}
	return b, nil
}

func (c *Command) find(key string) ([]byte, bool) {
	for i := range c.options {
		if string(c.options[i].key) == key {
			return c.options[i].value, true
		}
	}
	return nil, false
}

// decimal reads a number of digits only, at most limit.
func decimal(b []byte, limit int) (int, bool) {
	n := 0
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		if n = n*10 + int(c-'0'); n > limit {
			return 0, false
		}
	}
	return n, len(b) > 0
}
