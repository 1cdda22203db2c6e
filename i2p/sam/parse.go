package sam

import (
	"bytes"
	"errors"
	"fmt"
	"unicode/utf8"
)

// MaxOptions is how many options a line may carry.
const MaxOptions = 128

var (
	// ErrSyntax says that a line or an option of it does not read as SAM.
	ErrSyntax = errors.New("bad SAM line")
	// ErrEmpty says that a line has nothing in it. Some programs send one after a
	// payload, and a bridge passes over it, as the Java router's does.
	ErrEmpty = fmt.Errorf("empty line: %w", ErrSyntax)
)

// Parse reads a line, without its newline, into c. It takes the line over:
// verb and action are put into upper case and escapes are resolved in place,
// so nothing is allocated for a line of the table. Values may be quoted; in them,
// quoted or not, a backslash takes the next character as it is ("Encoding and
// Escaping", and as the Java router has it: a password need not be quoted for its
// quotes to be escaped).
func (c *Command) Parse(line []byte) error {
	*c = Command{options: c.options[:0]}
	if !utf8.Valid(line) {
		return fmt.Errorf("line is not UTF-8: %w", ErrSyntax)
	}
	verb, rest := nextWord(line)
	upper(verb)
	if len(verb) == 0 {
		return ErrEmpty
	}
	switch verbForms[string(verb)] {
	case FormText:
		c.setWords(verb, nil)
		c.Text = rest
		return nil
	case FormAction:
		var action []byte
		action, rest = nextAction(rest)
		upper(action)
		c.setWords(verb, action)
	default:
		c.setWords(verb, nil)
	}
	return c.scan(rest)
}

// setWords fills in Kind, Verb and Action, with the table's own strings where
// the line is in it.
func (c *Command) setWords(verb, action []byte) {
	c.Kind = kinds[words{string(verb), string(action)}]
	if c.Kind != KindUnknown {
		c.Verb, c.Action = commands[c.Kind].Verb, commands[c.Kind].Action
		return
	}
	c.Verb, c.Action = string(verb), string(action)
}

// ParseDatagram reads what a client sends to the UDP port: "3.x ID DESTINATION
// [options]", a newline, and the payload ("Sending Repliable or Raw Datagrams").
// The options are then c's. All that it returns is part of b.
func (c *Command) ParseDatagram(b []byte) (id, destination, payload []byte, err error) {
	line, payload, ok := bytes.Cut(b, []byte{'\n'})
	if !ok || len(line) >= MaxLine || len(payload) == 0 || len(payload) > MaxPayload {
		return nil, nil, nil, fmt.Errorf("datagram of %d bytes without a header line or payload: %w", len(b), ErrSyntax)
	}
	version, rest := nextWord(bytes.TrimSuffix(line, []byte{'\r'}))
	id, rest = nextWord(rest)
	destination, rest = nextWord(rest)
	if !bytes.HasPrefix(version, []byte("3.")) {
		return nil, nil, nil, fmt.Errorf("datagram header does not begin with 3.0 to 3.%d: %w", NewestMinor, ErrSyntax)
	}
	*c = Command{options: c.options[:0]}
	if err := c.scan(rest); err != nil {
		return nil, nil, nil, err
	}
	return id, destination, payload, nil
}

// scan reads options to the end of b. A key given twice is refused, as by the
// Java router: there is no telling which one was meant.
func (c *Command) scan(b []byte) error {
	plain := bytes.IndexByte(b, '\t') < 0 && bytes.IndexByte(b, '\\') < 0
	for b = skipSpace(b); len(b) > 0; b = skipSpace(b) {
		n := 0
		for n < len(b) && b[n] != '=' && !isSpace(b[n]) {
			n++
		}
		o := option{key: b[:n]}
		if b = b[n:]; len(b) > 0 && b[0] == '=' {
			var err error
			if o.value, b, err = scanValue(b[1:], plain); err != nil {
				return fmt.Errorf("option %.40q: %w", o.key, err)
			}
		}
		if err := c.add(o); err != nil {
			return err
		}
	}
	return nil
}

func (c *Command) add(o option) error {
	switch {
	case len(o.key) == 0:
		return fmt.Errorf("option without a name before \"=\": %w", ErrSyntax)
	case len(c.options) == MaxOptions:
		return fmt.Errorf("more than %d options: %w", MaxOptions, ErrSyntax)
	}
	for i := range c.options {
		if string(c.options[i].key) == string(o.key) {
			return fmt.Errorf("option %.40q given twice: %w", o.key, ErrSyntax)
		}
	}
	c.options = append(c.options, o)
	return nil
}

// scanValue splits b into the value at its start and the rest. A plain b has neither
// tabs nor backslashes. Then the search is left to the library, which is many times
// faster over the 516 characters of a Destination.
func scanValue(b []byte, plain bool) (value, rest []byte, err error) {
	switch {
	case len(b) > 0 && b[0] == '"':
		return scanQuoted(b[1:])
	case !plain:
		return scanEscaped(b)
	}
	n := bytes.IndexByte(b, ' ')
	if n < 0 {
		n = len(b)
	}
	return b[:n], b[n:], nil
}

// scanEscaped resolves the escapes of a value without quotes in place.
func scanEscaped(b []byte) (value, rest []byte, err error) {
	w, r := 0, 0
	for ; r < len(b) && !isSpace(b[r]); r++ {
		if b[r] == '\\' {
			if r++; r == len(b) {
				return nil, nil, fmt.Errorf("backslash with nothing after it: %w", ErrSyntax)
			}
		}
		b[w] = b[r]
		w++
	}
	return b[:w], b[r:], nil
}

// scanQuoted resolves the escapes of a quoted value in place.
func scanQuoted(b []byte) (value, rest []byte, err error) {
	w := 0
	for r := 0; r < len(b); r++ {
		switch {
		case b[r] == '"':
			rest = b[r+1:]
			if len(rest) > 0 && !isSpace(rest[0]) {
				return nil, nil, fmt.Errorf("no space after the closing quote: %w", ErrSyntax)
			}
			return b[:w], rest, nil
		case b[r] == '\\' && r+1 < len(b):
			r++
		}
		b[w] = b[r]
		w++
	}
	return nil, nil, fmt.Errorf("quote without an end: %w", ErrSyntax)
}

// nextWord splits off the first word and the one space after it.
func nextWord(b []byte) (word, rest []byte) {
	b = skipSpace(b)
	for i := range b {
		if isSpace(b[i]) {
			return b[:i], b[i+1:]
		}
	}
	return b, nil
}

// nextAction splits off the second word, unless that is an option already.
func nextAction(b []byte) (action, rest []byte) {
	action, rest = nextWord(b)
	for _, c := range action {
		if c == '=' {
			return nil, b
		}
	}
	return action, rest
}

func skipSpace(b []byte) []byte {
	for len(b) > 0 && isSpace(b[0]) {
		b = b[1:]
	}
	return b
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' }

func upper(b []byte) {
	for i, c := range b {
		if 'a' <= c && c <= 'z' {
			b[i] = c - 'a' + 'A'
		}
	}
}
