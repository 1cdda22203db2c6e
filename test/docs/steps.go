package docs

import (
	"regexp"
	"strings"
)

// A Step is a command of a page, or lines that it shows and that are none.
type Step struct {
	// Line is its first one in the page, from 1.
	Line int
	// Command is for a shell, and may have several lines; empty if Shown is set.
	Command string
	// Shown are lines, without those that are blank.
	Shown []string
}

// Start is what names the step in a Plan and in messages: its first line.
func (s Step) Start() string {
	if s.Command == "" {
		return s.Shown[0]
	}
	first, _, _ := strings.Cut(s.Command, "\n")
	return first
}

var (
	// command begins with a program that pages use. A prompt before it is not part of it.
	command = regexp.MustCompile(`^(\$ )?((\(umask \d+; |[A-Z_]+=\S+ |sudo (-u \w+ )?)*` +
		`(onelease|go|make|curl|for \w+ in|head|nc|openssl|podman|mkdir|sh|sudoedit|systemctl|apt|xdg-open|printf|echo|cat|chmod|examples/[a-z/-]+\.sh)( .*|$))`)
	here = regexp.MustCompile(`<<-?'?(\w+)'?`)
)

// Steps are those of a page in Markdown, in their order: of blocks that are indented, and of
// fenced ones that have no language or that of a shell.
func Steps(page string) (steps []Step) {
	p := reader{lines: strings.Split(page, "\n")}
	for p.next < len(p.lines) {
		line := p.lines[p.next]
		switch fence, fenced := strings.CutPrefix(line, "```"); {
		case fenced:
			p.next++
			steps = append(steps, p.fenced(fence)...)
		case strings.HasPrefix(line, "    ") && strings.TrimSpace(line) != "":
			steps = append(steps, p.block(p.indented)...)
		default:
			p.next++
		}
	}
	return steps
}

// A reader goes through a page's lines.
type reader struct {
	lines []string
	next  int
}

// indented is the next line without its indent, if the block goes on.
func (p *reader) indented() (string, bool) {
	for i := p.next; i < len(p.lines); i++ {
		if text, is := strings.CutPrefix(p.lines[i], "    "); is && strings.TrimSpace(text) != "" {
			p.next = i
			return strings.TrimRight(text, " "), true
		}
		if strings.TrimSpace(p.lines[i]) != "" {
			break
		}
	}
	return "", false
}

// fenced are the steps up to the closing fence; of another language than a shell's there are none.
func (p *reader) fenced(language string) (steps []Step) {
	inside := func() (string, bool) {
		return p.lines[p.next], p.next < len(p.lines)-1 && p.lines[p.next] != "```"
	}
	steps = p.block(inside)
	p.next++
	switch strings.TrimSpace(language) {
	case "", "sh", "bash", "console":
		return steps
	}
	return nil
}

// block is what peek, which tells the next line, has until it has no more.
func (p *reader) block(peek func() (string, bool)) (steps []Step) {
	for {
		line, more := peek()
		if !more {
			return steps
		}
		at := p.next + 1
		p.next++
		words := command.FindStringSubmatch(strings.TrimLeft(line, " "))
		switch last := len(steps) - 1; {
		case words != nil:
			steps = append(steps, Step{Line: at, Command: p.whole(words[2], peek)})
		case strings.TrimSpace(line) == "":
		case last >= 0 && steps[last].Command == "":
			steps[last].Shown = append(steps[last].Shown, line)
		default:
			steps = append(steps, Step{Line: at, Shown: []string{line}})
		}
	}
}

// whole adds the lines to a command that its first one asks for.
func (p *reader) whole(command string, peek func() (string, bool)) string {
	ends := func(line string) bool { return !strings.HasSuffix(line, `\`) }
	switch document := here.FindStringSubmatch(command); {
	case document != nil:
		ends = func(line string) bool { return strings.TrimSpace(line) == document[1] }
	case strings.HasPrefix(command, "for "):
		ends = func(line string) bool { return strings.TrimSpace(line) == "done" }
	}
	for last := command; !ends(last); {
		line, more := peek()
		if !more {
			break
		}
		p.next++
		command, last = command+"\n"+line, line
	}
	return command
}
