package admin

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"strconv"
	"time"
)

// A History is what /history.json has: how the node's metrics of Charts were for an hour, or
// for a day.
type History struct {
	Role string `json:"role"`
	Name string `json:"name"`
	// At is when the newest point ends, by the node's clock, and Step how long a point is.
	At   time.Time `json:"at"`
	Step int       `json:"step_seconds"`
	// Points is how many a line has at most; there are fewer while the node is young.
	Points int `json:"points"`
	// Truncated: there were more lines than a node keeps.
	Truncated bool         `json:"truncated"`
	Charts    []ChartLines `json:"charts"`
}

// ChartLines are the lines of a Chart. One without a name is the only one.
type ChartLines struct {
	Chart
	Lines []Line `json:"lines"`
}

// A Line has the oldest point first.
type Line struct {
	Name   string `json:"name"`
	Points Points `json:"points"`
}

// Points are null in JSON where nothing is known, which NaN is here.
type Points []float32

// MarshalJSON implements json.Marshaler.
func (p Points) MarshalJSON() ([]byte, error) {
	b := []byte{'['}
	for i, v := range p {
		if i > 0 {
			b = append(b, ',')
		}
		if math.IsNaN(float64(v)) {
			b = append(b, "null"...)
			continue
		}
		b = strconv.AppendFloat(b, float64(v), 'g', 4, 32)
	}
	return append(b, ']'), nil
}

// past is the history for an hour, or for a day; other spans there are none.
func (h *history) past(s *Snapshot, span string, now time.Time) (History, bool) {
	step, steps, ring := fineStep, h.steps, func(l *line) *[points]float32 { return &l.fine }
	switch span {
	case "", "hour":
	case "day":
		step, steps, ring = coarse*fineStep, h.steps/coarse, func(l *line) *[points]float32 { return &l.coarse }
	default:
		return History{}, false
	}
	ago := now.Sub(h.began) - time.Duration(steps)*step // whatever became of the clock
	p := History{
		Role: s.Role, Name: s.Name, At: now.Add(-ago).UTC().Truncate(time.Millisecond), Step: int(step.Seconds()),
		Points: points, Truncated: h.full, Charts: []ChartLines{},
	}
	for _, key := range slices.SortedFunc(maps.Keys(h.lines), lineKey.compare) {
		known, some := pointsOf(ring(h.lines[key]), steps)
		if !some {
			continue
		}
		if n := len(p.Charts); n == 0 || p.Charts[n-1].Name != Charts[key.chart].Name {
			p.Charts = append(p.Charts, ChartLines{Chart: Charts[key.chart]})
		}
		chart := &p.Charts[len(p.Charts)-1]
		chart.Lines = append(chart.Lines, Line{key.name, known})
	}
	return p, true
}

func (k lineKey) compare(other lineKey) int {
	return cmp.Or(cmp.Compare(k.chart, other.chart), cmp.Compare(k.curve, other.curve), cmp.Compare(k.name, other.name))
}

// pointsOf returns the last points of a ring, the oldest first, and whether any is known.
func pointsOf(ring *[points]float32, steps int) (known Points, some bool) {
	for i := max(0, steps-points); i < steps; i++ {
		v := ring[i%points]
		known = append(known, v)
		some = some || !math.IsNaN(float64(v))
	}
	return known, some
}
