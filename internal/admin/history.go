package admin

import (
	"math"
	"strings"
	"time"
)

// How much is kept: an hour in points of 5 s, and a day in points of 2 min. A line takes
// 6 KiB; a site on three routers has some 50, and none has more than maxLines.
const (
	points   = 720
	fineStep = 5 * time.Second
	coarse   = 24 // fine steps in a coarse one
	maxLines = 256
)

// nothing is the point of a time of which nothing is known.
var nothing = float32(math.NaN())

// A history is how the metrics of Charts were.
type history struct {
	began  time.Time
	steps  int // fine steps that are over
	looks  int
	last   time.Time // look
	closed time.Time // last look that is in a fine step that is over
	lines  map[lineKey]*line
	full   bool // there was no place for a line
}

// A lineKey is where in Charts the metric is, and the name of its line there.
type lineKey struct {
	chart, curve int
	name         string
}

// A line is one metric with one value of each label. Time is counted in steps, so that all
// lines have theirs at the same places of their rings.
type line struct {
	fine, coarse [points]float32
	value        float64
	seen         int // which look last had it
	now, long    mean
}

// A mean is what comes together in the time of a point.
type mean struct{ sum, count float64 }

func (m *mean) add(v float64) {
	m.sum += v
	m.count++
}

func newHistory(now time.Time) *history {
	return &history{began: now, last: now, closed: now, lines: map[lineKey]*line{}}
}

// add takes what a look has seen.
func (h *history) add(now time.Time, samples []sample) {
	h.advance(now)
	values := map[lineKey]float64{}
	for _, s := range samples {
		for _, p := range plotted[s.metric] {
			values[lineKey{p.chart, p.curve, Charts[p.chart].curves[p.curve].lineName(s.labels)}] += s.value
		}
	}
	first := h.looks == 0
	h.looks++
	for key, value := range values {
		if l := h.line(key); l != nil {
			l.take(Charts[key.chart].Kind, value, h.looks, first)
		}
	}
	h.last = now
}

func (c curve) lineName(labels []string) string {
	name := c.name
	if !c.sum && len(labels) > 0 {
		name = strings.TrimSpace(strings.Join(labels, " ") + " " + name)
	}
	return name
}

// line is that of the key, a new one if need be. If there is no place, one goes that was
// not seen for longest; if all were seen last time, it returns nil.
func (h *history) line(key lineKey) *line {
	if l := h.lines[key]; l != nil {
		return l
	}
	if len(h.lines) >= maxLines && !h.evict() {
		h.full = true
		return nil
	}
	l := &line{}
	for i := range points {
		l.fine[i], l.coarse[i] = nothing, nothing
	}
	h.lines[key] = l
	return l
}

func (h *history) evict() bool {
	var oldest lineKey
	least := h.looks - 1
	for key, l := range h.lines {
		if l.seen < least {
			oldest, least = key, l.seen
		}
	}
	if least == h.looks-1 {
		return false
	}
	delete(h.lines, oldest)
	return true
}

// take takes the value of a look. One that was never there began from 0 since, but for what
// the node began with; one that was away, as a leader's counters while it does not lead,
// goes on from what it was.
func (l *line) take(kind Kind, value float64, look int, first bool) {
	before := l.value
	if first {
		before = value
	}
	l.value, l.seen = value, look
	switch kind {
	case Level:
		l.now.add(value)
	case Changes:
		changed := 0.0
		if before != 0 && before != value {
			changed = 1
		}
		l.now.add(changed)
	default:
		if value < before { // it began anew
			before = 0
		}
		l.now.add(value - before)
	}
}

// advance ends the steps that are over.
func (h *history) advance(now time.Time) {
	over := int(now.Sub(h.began) / fineStep)
	if over <= h.steps {
		return
	}
	covered := h.last.Sub(h.closed).Seconds()
	h.closed = h.last
	for first := true; h.steps < over; first = false {
		for key, l := range h.lines {
			value := nothing
			if first {
				value = l.now.point(Charts[key.chart].Kind, covered)
			}
			l.put(Charts[key.chart].Kind, h.steps, value)
		}
		h.steps++
	}
}

// point is what came together; for a Rate the seconds are those of it.
func (m *mean) point(kind Kind, seconds float64) float32 {
	defer func() { *m = mean{} }()
	switch {
	case m.count == 0, kind == Rate && seconds <= 0:
		return nothing
	case kind == Rate:
		return float32(m.sum / seconds)
	case kind == Level:
		return float32(m.sum / m.count)
	}
	return float32(m.sum)
}

// put puts the point of a fine step, and at its end that of a coarse one.
func (l *line) put(kind Kind, step int, value float32) {
	l.fine[step%points] = value
	if !math.IsNaN(float64(value)) {
		l.long.add(float64(value))
	}
	if (step+1)%coarse > 0 {
		return
	}
	if kind == Rate {
		kind = Level // that of rates
	}
	l.coarse[step/coarse%points] = l.long.point(kind, 0)
}
