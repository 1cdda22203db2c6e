package admin

import (
	"fmt"
	"time"
)

// A Snapshot is what a role has to show at one moment.
type Snapshot struct {
	// Role is one of Roles, and Name the node's, empty if it has none.
	Role, Name string
	// Checks are what /readyz is made of.
	Checks []Check
	// Brief is how it is in a few words, when all is well.
	Brief string
	// Status is the role's own, for JSON.
	Status any

	samples []sample
	// What the Watcher adds: when it was taken, and since when the node is not ready.
	at            time.Time
	notReadySince *time.Time
}

// A Check is one line of /readyz.
type Check struct {
	Name string `json:"name"` // of each once
	OK   bool   `json:"ok"`
	// Advisory checks tell of what is wrong, and a node that fails one is ready nevertheless.
	Advisory bool `json:"advisory"`
	// Text says in words how it is; if it is not OK, also what to do, where that is known.
	Text string `json:"text"`
	// Since is when it began to fail, as far as it was looked at, which is each second; nil
	// if it is OK, or if nobody watches.
	Since *time.Time `json:"since,omitempty"`
}

// String is the check in a line: "[+] router: session held", with "[-]" if it is not OK, and
// "[!]" if that is no reason not to be ready.
func (c Check) String() string {
	mark := "-"
	switch {
	case c.OK:
		mark = "+"
	case c.Advisory:
		mark = "!"
	}
	return fmt.Sprintf("[%s] %s: %s", mark, c.Name, c.Text)
}

// Line is the line of /readyz: String, and of what is not OK since when, and how long that is
// at the time now.
func (c Check) Line(now time.Time) string {
	if c.Since == nil {
		return c.String()
	}
	return c.String() + " (" + Since(*c.Since, now) + ")"
}

// Since says since when something is so, and how long that is: "since 04:31:07Z, 12 s". The
// date is there if it is another than now's.
func Since(since, now time.Time) string {
	since, now = since.UTC(), now.UTC()
	layout := "15:04:05Z"
	if since.Format(time.DateOnly) != now.Format(time.DateOnly) {
		layout = "2006-01-02 15:04:05Z"
	}
	lasts := max(0, now.Sub(since)).Round(time.Second)
	words := fmt.Sprintf("%.0f s", lasts.Seconds())
	if lasts >= 2*time.Minute {
		words = lasts.String()
	}
	return "since " + since.Format(layout) + ", " + words
}

// Need adds a check that must be OK for the node to be ready; good and bad are its text
// when it is and when not.
func (s *Snapshot) Need(name string, ok bool, good, bad string) { s.check(name, ok, false, good, bad) }

// Advise adds a check without which the node is ready all the same.
func (s *Snapshot) Advise(name string, ok bool, good, bad string) { s.check(name, ok, true, good, bad) }

func (s *Snapshot) check(name string, ok, advisory bool, good, bad string) {
	text := good
	if !ok {
		text = bad
	}
	s.Checks = append(s.Checks, Check{Name: name, OK: ok, Advisory: advisory, Text: text})
}

// Join adds the metrics of a part of the node, with labels more.
func (s *Snapshot) Join(part *Snapshot, labels ...string) {
	for _, m := range part.samples {
		m.labels = append(labels[:len(labels):len(labels)], m.labels...)
		s.samples = append(s.samples, m)
	}
}

// Ready reports whether the node does its work.
func (s *Snapshot) Ready() bool {
	for _, c := range s.Checks {
		if !c.OK && !c.Advisory {
			return false
		}
	}
	return true
}

// Line is how the node is in one line, as a service manager shows it: what it needs and has
// not, or that it is ready, and what is wrong all the same.
func (s *Snapshot) Line() string {
	ready := s.Ready()
	line := "not ready"
	if ready {
		line = "ready"
		if s.Brief != "" {
			line += ": " + s.Brief
		}
	}
	for _, c := range s.Checks {
		if !c.OK && c.Advisory == ready {
			line += "; " + c.Name + ": " + c.Text
		}
	}
	return line
}

// A Report is what /status.json has.
type Report struct {
	Role          string     `json:"role"`
	Name          string     `json:"name"`
	At            time.Time  `json:"at"` // by the node's clock
	Ready         bool       `json:"ready"`
	NotReadySince *time.Time `json:"not_ready_since"` // null: it is ready
	Checks        []Check    `json:"checks"`
	Status        any        `json:"status"`
}

// Report is s for JSON.
func (s *Snapshot) Report() Report {
	return Report{
		Role: s.Role, Name: s.Name, At: s.at, Ready: s.Ready(), NotReadySince: s.notReadySince,
		Checks: s.Checks, Status: s.Status,
	}
}
