package strict

import (
	"fmt"
	"strings"
)

// width is how long lines of an example's comments are, in characters.
const width = 96

// Example is a document of all keys, each with its comment. What may be left out is
// commented out, with its default or an example.
func Example(all []Key) string {
	var b strings.Builder
	for _, k := range all {
		if k.Table == nil {
			b.WriteString("\n" + exampleLine(&k))
		}
	}
	for _, k := range all {
		if k.Table != nil {
			b.WriteString("\n" + exampleTable(&k))
		}
	}
	return b.String()
}

// exampleTable has a # before each line if the table may be left out.
func exampleTable(k *Key) string {
	text := comment(k.Comment) + "[[" + k.Name + "]]\n"
	for i := range k.Table {
		text += exampleLine(&k.Table[i])
	}
	if k.Shown {
		return text
	}
	var b strings.Builder
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "#") {
			b.WriteByte('#')
		}
		b.WriteString(line)
	}
	return b.String()
}

func exampleLine(k *Key) string {
	value, note := k.Default, "default"
	if value == "" {
		value, note = k.Example, "example"
	}
	if value == "" {
		value, note = k.empty(), "default"
	}
	text := k.Comment
	if note == "example" && !k.Shown && !strings.Contains(text, "default") {
		text += "; not set by default"
	}
	if k.Reload {
		text += "; read again on SIGHUP"
	}
	line := fmt.Sprintf("%s = %s\n", k.Name, value)
	if !k.Shown {
		line = "#" + line
	}
	return comment(text) + line
}

// comment is text behind "# ", in lines.
func comment(text string) string {
	var b strings.Builder
	line := "#"
	for word := range strings.FieldsSeq(text) {
		if len(line)+1+len(word) > width {
			b.WriteString(line + "\n")
			line = "#"
		}
		line += " " + word
	}
	return b.String() + line + "\n"
}
