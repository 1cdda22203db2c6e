package plugin

import (
	"bufio"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestBackoff(t *testing.T) {
	b := defaultTiming.backoff
	var waits []time.Duration
	for range 12 {
		waits = append(waits, b.next(time.Second))
	}
	if waits[0] != 0 {
		t.Errorf("the first restart waits %v", waits[0])
	}
	for i, most := 1, b.first; i < len(waits); i, most = i+1, min(2*most, b.most) {
		if waits[i] > most || waits[i] < most*3/4 {
			t.Errorf("restart %d waits %v, want 3/4 of %v at least", i+1, waits[i], most)
		}
	}
	if wait := b.next(b.stable); wait != 0 {
		t.Errorf("after a stable minute %v", wait)
	}
}

func TestLogLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l logLimit
		passed, told := 0, uint64(0)
		for range 10 { // seconds, with 10,000 lines each
			for range 1000 {
				for range 10 {
					ok, tell := l.allow(time.Now())
					if ok {
						passed++
					}
					told += tell
				}
				time.Sleep(time.Millisecond)
			}
		}
		if passed < logBurst+9*logRate || passed > logBurst+10*logRate {
			t.Errorf("%d lines passed", passed)
		}
		if all := told + l.rest(); all != uint64(100_000-passed) || l.suppressedInAll() != all || told == 0 {
			t.Errorf("%d left out, told %d of %d", 100_000-passed, told, all)
		}
		time.Sleep(time.Minute)
		if ok, _ := l.allow(time.Now()); !ok {
			t.Error("nothing passes later")
		}
	})
}

func TestParseLine(t *testing.T) {
	for line, want := range map[string]string{
		`{"@level":"error","@message":"bad","@timestamp":"x","b":1,"a":"two","@module":"m"}`: `ERROR bad a=two b=1 module=m`,
		`{"@level":"trace","@message":"x","list":[1,{"c":2}]}`:                               `DEBUG x list=[1,{"c":2}]`,
		`{"@message":"no level"}`: `INFO {"@message":"no level"}`,
		`{"@level":"info"`:        `INFO {"@level":"info"`,
		`{"service":"another"}`:   `INFO {"service":"another"}`,
		`plain`:                   `INFO plain`,
		`[WARN] careful`:          `WARN [WARN] careful`,
		`panic: nil map`:          `ERROR panic: nil map`,
		"broken \xff utf":         `INFO broken ? utf`,
		`{"@level":"info","@message":"x","service":"another"}`: `INFO x`,
	} {
		l := parseLine([]byte(line), 0)
		got := l.level.String() + " " + l.text
		for _, a := range l.attrs {
			got += " " + a.String()
		}
		if got != want {
			t.Errorf("%s: %q, want %q", line, got, want)
		}
	}
}

func FuzzParseLine(f *testing.F) {
	f.Add([]byte(`{"@level":"error","@message":"bad","a":[1]}`), 0)
	f.Add([]byte("plain"), 7)
	f.Fuzz(func(t *testing.T, line []byte, cut int) {
		if l := parseLine(line, max(cut, 0)); len(l.attrs) > maxAttrs {
			t.Errorf("%d attributes", len(l.attrs))
		}
	})
}

func TestReadLine(t *testing.T) {
	long := strings.Repeat("x", 200_000)
	in := bufio.NewReaderSize(strings.NewReader("one\r\n\n"+long+"\n"+long[:maxLine+1]+"\nlast"), 64<<10)
	for _, want := range []struct{ length, cut int }{{3, 0}, {0, 0}, {maxLine, len(long) - maxLine + 1}, {maxLine, 1}, {4, 0}} {
		line, cut, err := readLine(in)
		if len(line) != want.length || cut != want.cut {
			t.Errorf("line of %d bytes, %d cut, %v; want %+v", len(line), cut, err, want)
		}
	}
}

func TestTail(t *testing.T) {
	l := &logs{log: slog.New(slog.DiscardHandler), limit: new(logLimit)}
	l.line([]byte("panic: lost"), 0)
	for i := range 20 {
		l.line(fmt.Append(nil, "goroutine ", i), 0)
	}
	last := l.last()
	if len(last) != tailLines+1 || last[0] != "panic: lost" || last[tailLines] != "goroutine 19" {
		t.Errorf("%q", last)
	}
}
