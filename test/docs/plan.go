package docs

import (
	"fmt"
	"strings"
)

// A Plan is what a page leaves to its reader, and what is not done with it. Its zero value
// runs all that the page has.
type Plan struct {
	// Given are commands before the page's: what its reader has, such as routers.
	Given []string
	// Web is where a web server of the reader's listens; empty for none.
	Web string
	// Notes are about single steps. One that fits no step is an error.
	Notes []Note
}

// A Note is about the first step that begins with Of and has no such Note yet, or with Each about all.
type Note struct {
	Of   string
	Each bool
	// Not says why a command is not run, or shown lines are not compared.
	Not string
	// Slow says the same of one that only the long form runs.
	Slow string
	// Stop are commands that go on and are ended before, by how they begin.
	Stop []string
	// Before are commands that a sentence before the step has the reader do.
	Before []string
	// Except is how shown lines begin that say one thing or another, with the time.
	Except string
	// Again has a command repeated until it says what it must, as those that ask for a state are.
	Again bool
	// Typed are lines for its questions at the terminal.
	Typed []string
	// Prints is what it must print.
	Prints string
	// Code is its exit code.
	Code int
}

// notes are the plan's, by the step.
func (p Plan) notes(steps []Step) (map[int]Note, error) {
	found := map[int]Note{}
	for _, note := range p.Notes {
		used := false
		for i, step := range steps {
			if _, has := found[i]; has || used && !note.Each || !strings.HasPrefix(strings.TrimSpace(step.Start()), note.Of) {
				continue
			}
			found[i], used = note, true
		}
		if !used {
			return nil, fmt.Errorf("the plan has a note of %q, and no step (left) begins so: take it out of the plan", note.Of)
		}
	}
	return found, nil
}

// what is left out, and why; empty if the step is to be done.
func (n Note) left(long bool) string {
	if n.Slow != "" && !long {
		return "only in the long form: " + n.Slow
	}
	return n.Not
}
