package docs

import (
	"fmt"
	"regexp"
	"strings"
)

var (
	address = regexp.MustCompile(`^[a-z2-7]+(\.\.\.)?[a-z2-7]*\.b32\.i2p`)
	number  = regexp.MustCompile(`[+-]?\d+`)
)

// shape is what fits a line as it is shown: with other numbers, another address, other
// space between the words.
func shape(line string) *regexp.Regexp {
	var words []string
	for _, word := range strings.Fields(line) {
		rest, prefix := word, ""
		if found := address.FindString(word); found != "" {
			rest, prefix = word[len(found):], `[a-z2-7.]+\.b32\.i2p`
		}
		literal := number.Split(rest, -1)
		for i := range literal {
			literal[i] = strings.ReplaceAll(regexp.QuoteMeta(literal[i]), `\.\.\.`, `\S+`)
		}
		words = append(words, prefix+strings.Join(literal, `[+-]?\d+`))
	}
	return regexp.MustCompile(`^\s*` + strings.Join(words, `\s+`) + `\s*$`)
}

// An expected is what a page shows of an output.
type expected struct {
	lines  []string
	except string // lines that begin so are not compared; empty for none
}

// fits returns nil if the output has lines of the shape of those that are shown, in that
// order, and perhaps others between. A line "..." stands for such.
func (e expected) fits(output string) error {
	left := strings.Split(output, "\n")
next:
	for _, line := range e.lines {
		text := strings.TrimSpace(line)
		if text == "..." || e.except != "" && strings.HasPrefix(text, e.except) {
			continue
		}
		want := shape(line)
		for i, got := range left {
			if want.MatchString(got) {
				left = left[i+1:]
				continue next
			}
		}
		return fmt.Errorf("shows %q, and there is no such line, or not in that order, in\n%s", line, output)
	}
	return nil
}
