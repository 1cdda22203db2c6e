package admin

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// A jsonHistory is what a program reads of /history.json.
type jsonHistory struct {
	Role      string
	At        time.Time
	Step      int `json:"step_seconds"`
	Points    int
	Truncated bool
	Charts    []struct {
		Name, Kind, Unit, Title string
		Lines                   []struct {
			Name   string
			Points []*float64
		}
	}
}

// line is the points of a line, with -1 where nothing is known; nil if there is none.
func (h jsonHistory) line(chart, name string) (all []float64) {
	for _, c := range h.Charts {
		for _, l := range c.Lines {
			for _, v := range l.Points {
				switch {
				case c.Name != chart || l.Name != name:
				case v == nil:
					all = append(all, -1)
				default:
					all = append(all, *v)
				}
			}
		}
	}
	return all
}

func lookedBack(t *testing.T, w *Watcher, span string) (h jsonHistory) {
	t.Helper()
	code, text := get(w.Handler(), "/history.json"+span)
	if err := json.Unmarshal([]byte(text), &h); err != nil || code != 200 {
		t.Fatalf("%d, %v: %s", code, err, text)
	}
	return h
}

// A moving node has metrics of each kind, by the seconds that it runs.
func moving(began time.Time, change func(s *Snapshot, second int)) Source {
	return func() *Snapshot {
		s := &Snapshot{Role: RoleBalancer, Name: "b1"}
		change(s, int(time.Since(began)/time.Second))
		return s
	}
}

// What of a metric is a point depends on the kind of its chart.
func TestHistory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := Watch(moving(time.Now(), func(s *Snapshot, second int) {
			Measure(s, "onelease_balancer_frontend_leases", 3, "r1")
			if second >= 10 && second < 20 {
				Measure(s, "onelease_balancer_frontend_leases", second%5, "r2")
			}
			Measure(s, "onelease_balancer_issued_term", min(1, second/3)+min(1, second/12))
			MeasureIf(s, "onelease_balancer_frontend_router_up", second < 7, "r1")
			MeasureIf(s, "onelease_balancer_frontend_router_up", true, "r2")
			Measure(s, "onelease_frontend_packets_in_total", 1000+40*second)
			if second >= 8 { // it leads, and has published once when it is first seen to
				Measure(s, "onelease_balancer_publishes_total", 1+max(0, second-20))
			}
		}))
		defer w.Close()
		if h := lookedBack(t, w, ""); len(h.Charts) != 0 || h.Role != RoleBalancer {
			t.Errorf("at once: %+v", h)
		}
		time.Sleep(25*time.Second + time.Millisecond)
		h := lookedBack(t, w, "?span=hour")
		if h.Step != 5 || h.Points != points || !h.At.Equal(time.Date(2000, 1, 1, 0, 0, 25, 0, time.UTC)) || h.Truncated {
			t.Errorf("%+v", h)
		}
		for _, want := range []struct {
			chart, name string
			points      []float64
		}{
			{"leases", "r1", []float64{3, 3, 3, 3, 3}},
			{"leases", "r2", []float64{-1, -1, 2, 2, -1}},
			{"failovers", "issued", []float64{0, 0, 1, 0, 0}},
			{"routers", "as frontends report", []float64{2, 1.4, 1, 1, 1}},
			{"packets", "in", []float64{40, 40, 40, 40, 40}},
			{"publishes", "", []float64{-1, 1, 0, 0, 4}},
			{"ready", "", []float64{1, 1, 1, 1, 1}},
			{"stalls", "not heard in time", nil},
		} {
			if got := h.line(want.chart, want.name); !slices.Equal(got, want.points) {
				t.Errorf("%s of %s: %v, want %v", want.name, want.chart, got, want.points)
			}
		}
		if code, _ := get(w.Handler(), "/history.json?span=year"); code != 400 {
			t.Errorf("span of a year: %d", code)
		}
	})
}

// An hour is kept in fine points, a day in coarse ones, and no more.
func TestHistoryEnds(t *testing.T) {
	h, began := newHistory(time.Now()), time.Now()
	var now time.Time
	for second := 0; second <= 26*3600; second += 3 {
		now = h.began.Add(time.Duration(second) * time.Second)
		h.add(now, []sample{
			{"onelease_frontend_tunnels", float64(second / 3600), nil}, {"onelease_frontend_packets_in_total", float64(7 * second), nil},
			{"onelease_balancer_publishes_total", float64(second / 60), nil},
		})
	}
	for _, c := range []struct {
		span, chart    string
		oldest, newest float32
	}{
		{"hour", "tunnels", 25, 25}, {"day", "tunnels", 2, 25}, {"hour", "packets", 7, 7}, {"day", "packets", 7, 7}, {"day", "publishes", 2, 2},
	} {
		p, _ := h.past(&Snapshot{}, c.span, now)
		i := slices.IndexFunc(p.Charts, func(l ChartLines) bool { return l.Name == c.chart })
		got := p.Charts[i].Lines[0].Points
		if len(got) != points || got[0] != c.oldest || got[points-1] != c.newest || p.At.Sub(began).Round(time.Second) != 26*time.Hour {
			t.Errorf("%s of a %s: %d points until %v, %v to %v; want %v to %v", c.chart, c.span, len(got), p.At, got[0], got[len(got)-1], c.oldest, c.newest)
		}
	}
}

// While a node is stuck nothing is known, and what a counter rose by meanwhile is not of
// the moment when it goes on: a rate is over the whole time.
func TestHistoryGap(t *testing.T) {
	began := time.Now()
	h := newHistory(began)
	see := func(second int, count float64) {
		h.add(began.Add(time.Duration(second)*time.Second), []sample{{"onelease_frontend_packets_in_total", count, nil}})
	}
	for second := range 8 {
		see(second, float64(10*second))
	}
	see(27, 270)
	see(30, 300)
	l := h.lines[lineKey{slices.IndexFunc(Charts, func(c Chart) bool { return c.Name == "packets" }), 0, "in"}]
	got := fmt.Sprint(l.fine[:6])
	if got != "[10 10 NaN NaN NaN 10]" {
		t.Errorf("points %s", got)
	}
	see(31, 5) // it began anew
	see(35, 45)
	if got := l.fine[6]; got != 35./4 { // 30 until 30, and 5 until 31, since 27
		t.Errorf("when it began anew: %v a second", got)
	}
}

// A leader that leads again goes on counting from where it was: what it has published
// before is not of that moment.
func TestHistoryAgain(t *testing.T) {
	h, began := newHistory(time.Now()), time.Now()
	leads := func(second int) bool { return second >= 2 && second < 7 || second >= 16 }
	for second := range 21 {
		var samples []sample
		if leads(second) {
			samples = append(samples, sample{"onelease_balancer_publishes_total", float64(50 + second), nil})
		}
		h.add(began.Add(time.Duration(second)*time.Second), samples)
	}
	l := h.lines[lineKey{slices.IndexFunc(Charts, func(c Chart) bool { return c.Name == "publishes" }), 0, ""}]
	if got := fmt.Sprint(l.fine[:4]); got != "[54 2 NaN 13]" {
		t.Errorf("points %s", got)
	}
}

// A name that comes and goes, such as a frontend's, takes the place of one that is gone;
// who has too many is told.
func TestHistoryPlaces(t *testing.T) {
	h, began := newHistory(time.Now()), time.Now()
	see := func(second int, names ...string) {
		var samples []sample
		for _, name := range names {
			samples = append(samples, sample{"onelease_balancer_frontend_leases", 1, []string{name}})
		}
		h.add(began.Add(time.Duration(second)*time.Second), samples)
	}
	for i := range 3 * maxLines {
		see(i, "stays", fmt.Sprint("r", i))
	}
	leases := slices.IndexFunc(Charts, func(c Chart) bool { return c.Name == "leases" })
	if len(h.lines) != maxLines || h.full || h.lines[lineKey{leases, 0, "stays"}] == nil || h.lines[lineKey{leases, 0, fmt.Sprint("r", 3*maxLines-1)}] == nil {
		t.Errorf("%d lines, full %v", len(h.lines), h.full)
	}
	var all []string
	for i := range maxLines + 1 {
		all = append(all, fmt.Sprint("n", i))
	}
	for i := range 3 {
		see(1000+i, all...)
	}
	if len(h.lines) != maxLines || !h.full {
		t.Errorf("with %d names at once: %d lines, full %v", len(all), len(h.lines), h.full)
	}
}

// The table names metrics that there are, of the right kind, and each line once.
func TestCharts(t *testing.T) {
	counters := map[string]bool{}
	for _, g := range Groups {
		for _, m := range g.Metrics {
			counters[m.Name] = m.Counter
		}
	}
	for _, c := range Charts {
		names := map[string]bool{}
		for _, curve := range c.curves {
			counter, ok := counters[curve.metric]
			if !ok || counter != (c.Kind == Rate || c.Kind == Count) {
				t.Errorf("chart %s: metric %s is there: %v; a counter: %v, for a %s", c.Name, curve.metric, ok, counter, c.Kind)
			}
			if names[curve.name] {
				t.Errorf("chart %s has two curves named %q", c.Name, curve.name)
			}
			names[curve.name] = true
		}
		if c.Title == "" || c.Unit == "" || strings.Contains(c.Title+c.Unit, "|") {
			t.Errorf("chart %s: title %q, unit %q", c.Name, c.Title, c.Unit)
		}
	}
}
