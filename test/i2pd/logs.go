package i2pd

import (
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
)

// Bounds of what is read from a log, and of what a failed test prints of each router's.
const (
	logTail  = 64 << 10 // bytes
	dumpTail = 15       // lines
	dumpLine = 200      // bytes
)

// Log returns the last lines of the router's log, at most max of them. It has warnings and
// errors, unless Config.Args sets another --loglevel.
func (r *Router) Log(max int) ([]string, error) {
	lines, err := tail(r.logPath(), max)
	if err != nil {
		return nil, fmt.Errorf("log of %s: %w", r, err)
	}
	return lines, nil
}

// tail returns the last lines of a file, as far as they are in its last logTail bytes.
func tail(path string, max int) ([]string, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	start := info.Size() - min(info.Size(), logTail)
	text, err := io.ReadAll(io.NewSectionReader(f, start, logTail))
	if err != nil {
		return nil, err
	}
	lines := strings.Split(strings.TrimRight(string(text), "\n"), "\n")
	return lines[len(lines)-min(max, len(lines)):], nil
}

// dump prints the last warnings of every router, and what it wrote to stderr: the last words
// of one that crashed.
func (n *Network) dump(tb testing.TB) {
	for _, r := range n.routers {
		lines, err := r.Log(logTail)
		if err != nil {
			tb.Log(err)
		}
		words, _ := tail(r.outPath(), dumpTail) // missing if it never ran
		text := strings.Join(append(warnings(lines, dumpTail), words...), "\n")
		tb.Logf("%s (%s, pid %d), last warnings:\n%s", r, r.addr, r.Pid(), text)
	}
}

// warnings returns the last lines that are warnings or worse, cut to a bearable length.
func warnings(lines []string, max int) []string {
	var found []string
	for _, line := range lines {
		if strings.Contains(line, "/warn - ") || strings.Contains(line, "/error - ") || strings.Contains(line, "/critical - ") {
			found = append(found, line[:min(dumpLine, len(line))])
		}
	}
	return found[len(found)-min(max, len(found)):]
}
