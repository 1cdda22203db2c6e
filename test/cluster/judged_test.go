package cluster_test

import (
	"strings"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/onelease/onelease/i2p"
)

// TestJudge: the checks that find nothing in good histories do find what is
// wrong in bad ones.
func TestJudge(t *testing.T) {
	dead := i2p.Lease{Tunnel: 13}
	for _, test := range []struct {
		name, want string // want is empty for a good history
		make       func(h *history)
	}{
		{"good", "", func(h *history) { h.takes(1, 2, 3, 4) }},
		{"late on one of two", "", func(h *history) {
			h.take(1, "a", 1, 5, false)
			h.take(2, "b", 1, 4, false)
		}},
		{"older refused", "", func(h *history) {
			h.take(1, "a", 2, 5, false)
			h.take(2, "a", 1, 4, true)
		}},
		{"older taken", "frontend a", func(h *history) {
			h.take(1, "a", 2, 5, false)
			h.take(2, "a", 1, 4, false)
		}},
		{"newer refused", "frontend a", func(h *history) {
			h.take(1, "a", 1, 4, false)
			h.take(2, "a", 2, 5, true)
		}},
		{"two leaders", "destination", func(h *history) {
			h.take(1, "a", 1, 4, false)
			h.take(2, "b", 2, 4, false)
		}},
		{"a deposed leader signs on", "destination", func(h *history) {
			h.take(1, "a", 2, 5, false)
			h.take(2, "b", 1, 6, false)
		}},
		{"date falls", "destination", func(h *history) {
			h.takes(1, 2)
			h.offers[1].published = h.offers[0].published - 1
		}},
		{"same date", "same date", func(h *history) {
			h.takes(1, 2)
			h.offers[1].published = h.offers[0].published
		}},
		{"not committed", "destination", func(h *history) {
			h.takes(1, 2, 3)
			h.op(lookIssued{}, lastIssued{place{1, 1, 2}, 102}, 10, 11)
		}},
		{"committed and not seen", "", func(h *history) {
			h.takes(1, 2)
			h.op(lookIssued{}, lastIssued{place{1, 1, 4}, 104}, 3, 4)
			h.take(10, "a", 1, 5, false)
		}},
		{"different bytes", "two LeaseSets", func(h *history) {
			h.seen = []seen{{published: 1, raw: "x"}, {published: 1, raw: "y"}}
		}},
		{"netDB falls", "netDB", func(h *history) {
			h.seen = []seen{{where: "netDB", published: 2}, {where: "netDB", published: 1}}
		}},
		{"dead router listed", "lists it", func(h *history) {
			h.takes(30)
			h.offers[0].merged = true
			h.seen = []seen{{published: 130, leases: []i2p.Lease{dead}}}
			h.losses = []loss{{h.began, func(l i2p.Lease) bool { return l == dead }}}
		}},
		{"write lost", "setting x", func(h *history) {
			h.op(write{"x", 1}, true, 1, 2)
			h.op(read{"x"}, int64(0), 3, 4)
		}},
		{"write of unknown outcome", "", func(h *history) {
			h.op(write{"x", 1}, nil, 1, 2)
			h.op(read{"x"}, int64(0), 3, 4)
			h.op(read{"x"}, int64(1), 5, 6)
		}},
		{"write undone", "setting x", func(h *history) {
			h.op(write{"x", 1}, nil, 1, 2)
			h.op(read{"x"}, int64(1), 3, 4)
			h.op(read{"x"}, int64(0), 5, 6)
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			h := newHistory(i2p.Hash{})
			test.make(h)
			faults := strings.Join(h.faults(), "\n")
			if test.want == "" && faults != "" || !strings.Contains(faults, test.want) {
				t.Errorf("found %q, want %q in it", faults, test.want)
			}
		})
	}
}

// takes has a frontend take LeaseSets, each in the second of its seq.
func (h *history) takes(seqs ...uint64) {
	for _, seq := range seqs {
		h.take(int(seq), "a", 1, seq, false)
	}
}

func (h *history) take(second int, frontend string, term, seq uint64, refused bool) {
	h.addOffer(offer{
		at: h.second(second), frontend: frontend, place: place{1, term, seq}, published: 100 + int64(seq), refused: refused,
	})
}

func (h *history) second(n int) time.Time { return h.began.Add(time.Duration(n) * time.Second) }

func (h *history) op(input, output any, from, to int) {
	op := porcupine.Operation{Input: input, Output: output, Call: h.since(h.second(from)), Return: h.since(h.second(to))}
	if output == nil {
		op.Return = forever
	}
	h.ops = append(h.ops, op)
}
