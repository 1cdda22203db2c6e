package admin

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// A Metric is a row of the table of metrics.
type Metric struct {
	// Name is as Prometheus has it; that of a counter ends in _total.
	Name string
	// Counter: it counts from the start of the process, and never falls. Else it is a
	// gauge, as of now.
	Counter bool
	// Labels are the names of its labels.
	Labels []string
	// Help is a sentence, with the unit where the name does not have it.
	Help string
}

type sample struct {
	metric string
	value  float64
	labels []string
}

// A Number is what can be measured.
type Number interface {
	~int | ~int64 | ~uint32 | ~uint64 | ~float64
}

// Measure adds the value of a metric, with those of its labels.
func Measure[N Number](s *Snapshot, metric string, value N, labels ...string) {
	s.samples = append(s.samples, sample{metric, float64(value), labels})
}

// MeasureIf adds 1 for yes and 0 for no.
func MeasureIf(s *Snapshot, metric string, yes bool, labels ...string) {
	value := 0
	if yes {
		value = 1
	}
	Measure(s, metric, value, labels...)
}

// MeasureTime adds seconds since 1970, and nothing for a time that is zero.
func MeasureTime(s *Snapshot, metric string, t time.Time, labels ...string) {
	if !t.IsZero() {
		Measure(s, metric, float64(t.UnixMilli())/1000, labels...)
	}
}

// MeasureSeconds adds a duration.
func MeasureSeconds(s *Snapshot, metric string, d time.Duration, labels ...string) {
	Measure(s, metric, d.Seconds(), labels...)
}

// registry is the watcher's own: nothing that a library registers for itself gets in.
func (o *Watcher) registry() *prometheus.Registry {
	r := prometheus.NewRegistry()
	r.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), o)
	return r
}

// Describe implements prometheus.Collector. What a role has is seen when it is collected.
func (o *Watcher) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector.
func (o *Watcher) Collect(into chan<- prometheus.Metric) {
	s, err := o.look(context.Background())
	if err != nil {
		into <- prometheus.NewInvalidMetric(prometheus.NewDesc("onelease_ready", "", nil, nil), err)
		return
	}
	for _, m := range append(s.common(), s.samples...) { // others have s too
		into <- m.collected()
	}
}

// common is what every role has.
func (s *Snapshot) common() []sample {
	var c Snapshot
	Measure(&c, "onelease_node_info", 1, s.Role, s.Name)
	MeasureIf(&c, "onelease_ready", s.Ready())
	for _, check := range s.Checks {
		MeasureIf(&c, "onelease_check_ok", check.OK, check.Name)
	}
	return c.samples
}

// descriptions are those of the table.
var descriptions = describeAll()

// A family is a metric by its name and how many labels it has: what a frontend says of
// itself, a node with several frontends says of each, with one label more.
type family struct {
	name   string
	labels int
}

type described struct {
	desc *prometheus.Desc
	kind prometheus.ValueType
}

func describeAll() map[family]described {
	all := map[family]described{}
	for _, g := range Groups {
		for _, m := range g.Metrics {
			kind := prometheus.GaugeValue
			if m.Counter {
				kind = prometheus.CounterValue
			}
			all[family{m.Name, len(m.Labels)}] = described{prometheus.NewDesc(m.Name, m.Help, m.Labels, nil), kind}
		}
	}
	return all
}

// collected is invalid if the table has no such metric, or with other labels.
func (m sample) collected() prometheus.Metric {
	d, ok := descriptions[family{m.metric, len(m.labels)}]
	if !ok {
		return prometheus.NewInvalidMetric(prometheus.NewInvalidDesc(errUnknown(m.metric)), errUnknown(m.metric))
	}
	metric, err := prometheus.NewConstMetric(d.desc, d.kind, m.value, m.labels...)
	if err != nil {
		return prometheus.NewInvalidMetric(d.desc, err)
	}
	return metric
}

type errUnknown string

// Error implements error.
func (e errUnknown) Error() string {
	return "the table has no metric " + string(e) + " with as many labels"
}

var _ prometheus.Collector = (*Watcher)(nil)
