package plugin

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"slices"
	"sync"
	"time"
)

const (
	// tailLines is how many last lines of a process are kept for its Exit.
	tailLines = 10
	// tailLine is what is kept of each, in bytes.
	tailLine = 400
)

// logs takes the log of one process: what it writes to its outputs.
type logs struct {
	log   *slog.Logger
	limit *logLimit // of the service: it outlives restarts

	mu    sync.Mutex
	tail  []string // newest last
	panic string   // the first line of what Go prints when it dies
}

// readFrom passes on lines until r ends. It keeps no more than a line in memory, and
// slows down a writer who floods.
func (l *logs) readFrom(r io.Reader) {
	in := bufio.NewReaderSize(r, 64<<10)
	flood := 0
	for {
		line, cut, err := readLine(in)
		if len(line) > 0 || cut > 0 {
			if l.line(line, cut) {
				flood = 0
			} else if flood += len(line) + cut + 1; flood >= floodRate/32 {
				time.Sleep(throttle(flood))
				flood = 0
			}
		}
		if err != nil {
			return
		}
	}
}

// readLine reads a line of any length, of which it returns the beginning, and how many
// bytes it left out. The line is good until the next.
func readLine(in *bufio.Reader) (line []byte, cut int, err error) {
	line, err = in.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		line, cut = bytes.Clone(line[:maxLine]), len(line)-maxLine
		for errors.Is(err, bufio.ErrBufferFull) {
			var more []byte
			more, err = in.ReadSlice('\n')
			cut += len(more)
		}
		return line, cut, err
	}
	line = bytes.TrimRight(line, "\r\n")
	if len(line) > maxLine {
		return line[:maxLine], len(line) - maxLine, err
	}
	return line, 0, err
}

// line passes a line on, or reports false if it is over the limit.
func (l *logs) line(line []byte, cut int) bool {
	ok, suppressed := l.limit.allow(time.Now())
	l.tellSuppressed(suppressed)
	if !ok {
		return false
	}
	parsed := parseLine(line, cut)
	l.keep(parsed)
	l.log.LogAttrs(context.Background(), parsed.level, parsed.text, parsed.attrs...)
	return true
}

func (l *logs) tellSuppressed(n uint64) {
	if n > 0 {
		l.log.Warn("the plugin logs too much", "lines_left_out", n, "limit_per_second", logRate)
	}
}

func (l *logs) keep(line logLine) {
	text := shorten(line.text, tailLine)
	for _, a := range line.attrs {
		text = shorten(text+" "+a.String(), tailLine)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.panic == "" && line.level == slog.LevelError && line.attrs == nil {
		l.panic = text
	}
	if len(l.tail) == tailLines {
		l.tail = append(l.tail[:0], l.tail[1:]...)
	}
	l.tail = append(l.tail, text)
}

// last are the last lines, with how a panic began if that is not among them.
func (l *logs) last() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.panic == "" || slices.Contains(l.tail, l.panic) {
		return slices.Clone(l.tail)
	}
	return append([]string{l.panic}, l.tail...)
}

// A lineWriter takes pieces of a log that come by go-plugin: what a program in Go writes
// to os.Stdout and os.Stderr.
type lineWriter struct {
	logs *logs
	part []byte
	cut  int
}

func (w *lineWriter) Write(p []byte) (int, error) {
	n := len(p)
	for {
		at := bytes.IndexByte(p, '\n')
		if at < 0 {
			break
		}
		w.add(p[:at])
		if !w.logs.line(w.part, w.cut) {
			time.Sleep(throttle(at))
		}
		w.part, w.cut, p = w.part[:0], 0, p[at+1:]
	}
	w.add(p)
	return n, nil
}

func (w *lineWriter) add(p []byte) {
	fits := min(len(p), maxLine-len(w.part))
	w.part = append(w.part, p[:fits]...)
	w.cut += len(p) - fits
}

var _ io.Writer = (*lineWriter)(nil)
