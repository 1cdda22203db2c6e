package samconform

import (
	"strings"
)

// A reply is a line of the bridge, or why there is none.
type reply struct {
	c       *check
	line    string
	ended   string
	closed  bool
	verb    string            // the words before the first option
	options map[string]string // by key, unquoted
}

// String is the line as it came, or what came in place of it.
func (r reply) String() string {
	if r.ended != "" {
		return r.ended
	}
	return redact(r.line)
}

// parse takes a line apart: up to two words, then key=value pairs, whose values may be
// quoted with \ before " and \ ("Encoding and Escaping").
func parse(c *check, line string) reply {
	r := reply{c: c, line: line, options: map[string]string{}}
	var words []string
	for rest := strings.TrimLeft(line, " "); rest != ""; rest = strings.TrimLeft(rest, " ") {
		word, quoted, tail := token(rest)
		key, value, pair := strings.Cut(word, "=")
		if quoted || pair && len(words) > 0 {
			r.options[key] = value
		} else {
			words = append(words, word)
		}
		rest = tail
	}
	r.verb = strings.Join(words, " ")
	return r
}

// token takes one word off the text, with quotes and escapes undone.
func token(s string) (word string, quoted bool, rest string) {
	var b strings.Builder
	inside := false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"':
			inside, quoted = !inside, true
		case c == '\\' && inside && i+1 < len(s):
			i++
			b.WriteByte(s[i])
		case c == ' ' && !inside:
			return b.String(), quoted, s[i:]
		default:
			b.WriteByte(c)
		}
	}
	return b.String(), quoted, ""
}

// is fails unless the reply has these words and options: "KEY=value", "KEY=a|b" for one of
// several values, "KEY" for any value, "!KEY" for none. With RESULT=I2P_ERROR there
// must be a MESSAGE, as the specification has it in each such line.
func (r reply) is(verb string, wants ...string) reply {
	if r.ended != "" || r.verb != verb {
		r.c.fail("%s; want %s %s", r, verb, strings.Join(wants, " "))
	}
	for _, want := range wants {
		if !r.has(want) {
			r.c.fail("%s; want %s", r, want)
		}
	}
	if r.options["RESULT"] == "I2P_ERROR" && r.options["MESSAGE"] == "" {
		r.c.fail("%s; want a MESSAGE", r)
	}
	return r
}

func (r reply) has(want string) bool {
	if key, absent := strings.CutPrefix(want, "!"); absent {
		_, there := r.options[key]
		return !there
	}
	key, values, pair := strings.Cut(want, "=")
	got, there := r.options[key]
	if !pair {
		return there
	}
	for value := range strings.SplitSeq(values, "|") {
		if there && got == value {
			return true
		}
	}
	return false
}

// refused fails unless the reply is an error of that verb.
func (r reply) refused(verb string) reply {
	r.is(verb, "RESULT")
	if r.options["RESULT"] == "OK" {
		r.c.fail("%s; want an error", r)
	}
	return r
}

// refusedOrClosed is refused, or a connection that the bridge closed: where the
// specification does not say which.
func (r reply) refusedOrClosed(verb string) reply {
	if r.closed {
		return r
	}
	return r.refused(verb)
}

// errorOrEnd fails unless the bridge answered with an error of whatever verb, or closed the
// connection.
func (r reply) errorOrEnd() {
	if r.ended != "" && !r.closed || r.ended == "" && (!r.has("RESULT") || r.has("RESULT=OK")) {
		r.c.fail("%s; want an error or the end", r)
	}
}
