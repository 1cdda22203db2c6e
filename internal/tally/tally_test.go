package tally

import (
	"slices"
	"testing"
	"time"
)

func TestTallyTellsCutFromLost(t *testing.T) {
	start := time.Unix(1_800_000_000, 0)
	at := func(seconds int) time.Time { return start.Add(time.Duration(seconds) * time.Second) }
	ask := func(y *Tally, second int, answered bool) {
		n := y.Send(0, at(second))
		if answered {
			y.Answer(0, n)
			y.Answer(0, n) // a duplicate
		}
	}
	for _, c := range []struct {
		name       string
		kill       int // second, 0: none
		unanswered []int
		want       Requests
	}{
		{"all answered", 0, nil, Requests{Sent: 60, Answered: 60}},
		{"lost with nothing killed", 0, []int{5}, Requests{Sent: 60, Answered: 59, Lost: 1}},
		{"lost before the kill", 10, []int{5}, Requests{Sent: 60, Answered: 59, Lost: 1}},
		{"cut until the first answer", 10, []int{10, 11, 12}, Requests{Sent: 60, Answered: 57, Cut: 3}},
		{"lost after the first answer", 10, []int{11, 13}, Requests{Sent: 60, Answered: 58, Cut: 1, Lost: 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			y := New(1)
			if c.kill > 0 {
				y.Kill(at(c.kill))
			}
			for second := range 60 {
				ask(y, second, !slices.Contains(c.unanswered, second))
			}
			if got := y.Requests(at(100), 0); got != c.want {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
}

func TestTallyNeverExcusesMoreThanTheRecoveryTime(t *testing.T) {
	start := time.Unix(1_800_000_000, 0)
	y := New(1)
	y.Kill(start)
	for second := range 60 {
		y.Send(0, start.Add(time.Duration(second)*time.Second))
	}
	if got := y.Requests(start.Add(time.Hour), 0); got.Cut != 30 || got.Lost != 30 {
		t.Errorf("a remote that is never answered again: %+v, want 30 cut and 30 lost", got)
	}
	if _, ok := y.Recovery(start); ok {
		t.Error("recovered without an answer")
	}
}

func TestGapsAreRunsOfUnanswered(t *testing.T) {
	start := time.Unix(1_800_000_000, 0)
	y := New(2)
	for second := range 10 {
		n := y.Send(1, start.Add(time.Duration(second)*time.Second))
		if second != 3 && second != 4 && second != 7 {
			y.Answer(1, n)
		}
	}
	want := []Gap{
		{Remote: 1, From: start.Add(3 * time.Second), To: start.Add(4 * time.Second), Requests: 2},
		{Remote: 1, From: start.Add(7 * time.Second), To: start.Add(7 * time.Second), Requests: 1},
	}
	if got := y.Gaps(); !slices.Equal(got, want) {
		t.Errorf("gaps %v, want %v", got, want)
	}
}
