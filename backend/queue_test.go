package backend

import (
	"bytes"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// A queue gives back what was put in, in order, and stays within its limit.
func TestQueue(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.IntRange(100, 3000).Draw(t, "limit")
		q := newQueue(limit)
		var model [][]byte
		used := 0
		for range rapid.IntRange(1, 200).Draw(t, "steps") {
			if rapid.Bool().Draw(t, "push") {
				payload := rapid.SliceOfN(rapid.Byte(), 0, 400).Draw(t, "payload")
				fits := used+len(payload)+entryCost <= limit
				if got := q.push(payload, nil); got != fits {
					t.Fatalf("push of %d with %d of %d used: %v", len(payload), used, limit, got)
				}
				if fits {
					model = append(model, payload)
					used += len(payload) + entryCost
				}
				continue
			}
			buffer := make([]byte, rapid.IntRange(0, 500).Draw(t, "buffer"))
			n, _, ok := q.pop(buffer)
			if ok != (len(model) > 0) {
				t.Fatalf("pop: %v with %d in it", ok, len(model))
			}
			if !ok {
				continue
			}
			want := model[0]
			model, used = model[1:], used-len(want)-entryCost
			if !bytes.Equal(buffer[:n], want[:min(len(want), len(buffer))]) {
				t.Fatalf("pop gave %x, want %x", buffer[:n], want)
			}
		}
	})
}

// However it is asked, a pace gives out a burst and then the rate.
func TestPace(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const every = 20 * time.Millisecond
		var p pace
		now := time.Unix(1_800_000_000, 0)
		var given []time.Time
		for range 100 {
			now = now.Add(time.Duration(rapid.IntRange(0, 100).Draw(t, "ms")) * time.Millisecond)
			at := p.reserve(now, every)
			if at.Before(now) {
				t.Fatalf("a moment %v in the past", now.Sub(at))
			}
			given = append(given, at)
		}
		for i := helloBurst; i < len(given); i++ {
			if span := given[i].Sub(given[i-helloBurst]); span < every {
				t.Fatalf("%d moments within %v", helloBurst+1, span)
			}
		}
	})
}
