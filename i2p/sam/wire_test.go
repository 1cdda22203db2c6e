package sam

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// show is a command as text, for tables.
func show(c *Command) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%v|%s|%s|%s", c.Kind, c.Verb, c.Action, c.Text)
	for _, o := range c.options {
		fmt.Fprintf(&b, "|%s=%s", o.key, o.value)
	}
	return b.String()
}

func TestParse(t *testing.T) {
	for _, test := range []struct{ name, line, want string }{
		{"hello", "HELLO VERSION MIN=3.0 MAX=3.3", "HELLO VERSION|HELLO|VERSION||MIN=3.0|MAX=3.3"},
		{"lower case verbs", "hello Version min=3.0", "HELLO VERSION|HELLO|VERSION||min=3.0"},
		{"spaces", "  RAW \t SEND   SIZE=1\t ID=2  ", "RAW SEND|RAW|SEND||SIZE=1|ID=2"},
		{"quoted", `SESSION STATUS MESSAGE="a b=c" X=1`, "SESSION STATUS|SESSION|STATUS||MESSAGE=a b=c|X=1"},
		{"escapes", `HELLO VERSION PASSWORD="a\"b\\c\d"`, `HELLO VERSION|HELLO|VERSION||PASSWORD=a"b\cd`},
		{"escapes outside quotes", `HELLO VERSION PASSWORD=a\"b\\c\d\ e NEXT=1`, `HELLO VERSION|HELLO|VERSION||PASSWORD=a"b\cd e|NEXT=1`},
		{"escaped first quote", `HELLO VERSION PASSWORD=\"a\"`, `HELLO VERSION|HELLO|VERSION||PASSWORD="a"`},
		{"comma", "SESSION CREATE i2cp.leaseSetEncType=6,4", "SESSION CREATE|SESSION|CREATE||i2cp.leaseSetEncType=6,4"},
		{"quote inside a word", `HELLO VERSION P=a"b`, `HELLO VERSION|HELLO|VERSION||P=a"b`},
		{"keys without value", `SESSION CREATE A B= C=""`, "SESSION CREATE|SESSION|CREATE||A=|B=|C="},
		{"equals in a value", "NAMING LOOKUP NAME=a==", "NAMING LOOKUP|NAMING|LOOKUP||NAME=a=="},
		{"UTF-8", `NAMING LOOKUP NAME="bücher süß"`, "NAMING LOOKUP|NAMING|LOOKUP||NAME=bücher süß"},
		{"text", "PING  any=text \"here", "PING|PING|| any=text \"here"},
		{"no text", "PONG", "PONG|PONG||"},
		{"bare", "quit now=1", "QUIT|QUIT|||now=1"},
		{"option for action", "DEST A=1", "unknown command|DEST|||A=1"},
		{"unknown", "Stream Status2 ID=x", "unknown command|STREAM|STATUS2||ID=x"},
		{"one word", "HELP", "HELP|HELP||"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var c Command
			if err := c.Parse([]byte(test.line)); err != nil {
				t.Fatal(err)
			}
			if got := show(&c); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	many := strings.Builder{}
	for i := range MaxOptions + 1 {
		fmt.Fprintf(&many, " K%d=1", i)
	}
	for name, line := range map[string]string{
		"empty":           "",
		"blank":           " \t",
		"not UTF-8":       "HELLO VERSION A=\xff",
		"open quote":      `HELLO VERSION A="b`,
		"open escape":     `HELLO VERSION A="b\`,
		"plain escape":    `HELLO VERSION A=b\`,
		"after the quote": `HELLO VERSION A="b"c`,
		"no key":          "HELLO VERSION =b",
		"twice":           "HELLO VERSION A=1 A=2",
		"too many":        "HELLO VERSION" + many.String(),
	} {
		var c Command
		if err := c.Parse([]byte(line)); !errors.Is(err, ErrSyntax) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestOptionTypes(t *testing.T) {
	var c Command
	if err := c.Parse([]byte("SESSION CREATE N=65535 BIG=65536 NEG=-1 EMPTY= T=true F=false ON BAD=perhaps")); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		key  string
		want int
		ok   bool
	}{{"N", 65535, true}, {"BIG", 0, false}, {"NEG", 0, false}, {"EMPTY", 7, true}, {"NONE", 7, true}} {
		if n, err := c.Number(test.key, 7, 65535); n != test.want || (err == nil) != test.ok {
			t.Errorf("Number(%s) = %d, %v", test.key, n, err)
		}
	}
	for _, test := range []struct {
		key      string
		want, ok bool
	}{{"T", true, true}, {"F", false, true}, {"ON", true, true}, {"NONE", false, true}, {"BAD", false, false}} {
		if b, err := c.Bool(test.key, false); b != test.want || (err == nil) != test.ok {
			t.Errorf("Bool(%s) = %v, %v", test.key, b, err)
		}
	}
	if c.Has("NONE") || !c.Has("EMPTY") {
		t.Error("Has")
	}
}

func TestPrint(t *testing.T) {
	for value, want := range map[string]string{
		"plain":      "K=plain",
		"":           `K=""`,
		"a b":        `K="a b"`,
		`say "hi" \`: `K="say \"hi\" \\"`,
		"two\nlines": `K="two lines"`,
		"bad\xff":    `K="bad` + "\ufffd" + `"`,
		"a=b==":      "K=a=b==",
	} {
		if got := string(AppendOption(nil, "K", value)); got != " "+want {
			t.Errorf("%q: got %s, want %s", value, got, want)
		}
	}
	if got := string(AppendReply(nil, KindNamingReply, Refusef(ResultKeyNotFound, "no such name"))); got != "NAMING REPLY RESULT=KEY_NOT_FOUND MESSAGE=\"no such name\"\n" {
		t.Error(got)
	}
}

// What the printer writes, the parser reads, for every row of the table.
func TestRoundTrip(t *testing.T) {
	value := rapid.StringMatching(`[^\n\r\x00]{0,40}`)
	rapid.Check(t, func(t *rapid.T) {
		kind := Kind(rapid.IntRange(1, int(kindCount)-1).Draw(t, "kind"))
		if commands[kind].Form == FormText {
			kind = KindRawSend
		}
		values := rapid.MapOf(rapid.StringMatching(`[A-Za-z0-9._:]{1,12}`), value).Draw(t, "options")
		line := AppendCommand(nil, kind)
		for k, v := range values {
			line = AppendOption(line, k, v)
		}
		var c Command
		if err := c.Parse(line); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		if c.Kind != kind || len(c.options) != len(values) {
			t.Fatalf("%q: %s", line, show(&c))
		}
		for k, v := range values {
			if got := c.Value(k); got != v {
				t.Fatalf("%s: got %q, want %q", k, got, v)
			}
		}
	})
}

func TestReader(t *testing.T) {
	r := NewReader(strings.NewReader("one\r\ntwo\n" + "payload" + "three\nno end"))
	for _, want := range []string{"one", "two", "", "three"} {
		if want == "" {
			b, err := r.Payload(7)
			if err != nil || string(b) != "payload" {
				t.Errorf("payload %q, %v", b, err)
			}
			continue
		}
		if b, err := r.Line(); err != nil || string(b) != want {
			t.Errorf("line %q, %v, want %s", b, err, want)
		}
	}
	if b, err := r.Line(); err == nil {
		t.Errorf("line without an end: %q", b)
	}
}

// The limit holds to the byte, however the bytes arrive.
func TestReaderLimit(t *testing.T) {
	for _, size := range []int{MaxLine - 1, MaxLine} {
		line := strings.Repeat("x", size) + "\n"
		for name, r := range map[string]*Reader{
			"whole": NewReader(strings.NewReader(line)),
			"bytes": NewReader(oneByte{strings.NewReader(line)}),
		} {
			b, err := r.Line()
			if fits := size < MaxLine; fits != (err == nil) || fits && len(b) != size || !fits && !errors.Is(err, ErrLineTooLong) {
				t.Errorf("%s, %d bytes: %d, %v", name, size, len(b), err)
			}
		}
	}
}

type oneByte struct{ r *strings.Reader }

func (o oneByte) Read(b []byte) (int, error) { return o.r.Read(b[:1]) }
