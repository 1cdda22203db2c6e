package cluster_test

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/anishathalye/porcupine"
)

// The model of a service, in parts that do not depend on each other:
//
//   - the Destination: a register that holds the place and the date of the last
//     LeaseSet. Each issue must raise both. A look at the leader's state may find
//     it higher, since not all that is issued is seen, and never lower;
//   - each frontend: a register that holds the highest place taken. What comes
//     before it is refused, and nothing else;
//   - each setting that operators write: a register.
//
// Operations whose outcome is not known have the output nil. They may take
// effect at any time after they began, and so never, in effect.

// The inputs of operations. Each names its part.
type (
	// issue is a LeaseSet that was seen. It was issued at any time before.
	issue struct {
		place     place
		published int64
	}
	// lookIssued is a look at the leader's state; the output is a lastIssued.
	lookIssued struct{}
	// offered is one that a frontend was given; the output is whether it took it.
	offered struct {
		frontend string
		place    place
	}
	// write is a change; the output is true if it was acknowledged.
	write struct {
		setting string
		value   int64
	}
	// read is a look at the leader's state; the output is the value.
	read struct{ setting string }
)

// lastIssued is the state of the Destination's register.
type lastIssued struct {
	place     place
	published int64
}

func part(input any) string {
	switch in := input.(type) {
	case offered:
		return "frontend " + in.frontend
	case write:
		return "setting " + in.setting
	case read:
		return "setting " + in.setting
	}
	return "destination"
}

// partition splits a history into its parts.
func partition(ops []porcupine.Operation) (parts [][]porcupine.Operation) {
	index := map[string]int{}
	for _, op := range ops {
		name := part(op.Input)
		i, known := index[name]
		if !known {
			i = len(parts)
			index[name] = i
			parts = append(parts, nil)
		}
		parts[i] = append(parts[i], op)
	}
	return parts
}

// step is what one operation makes of its part's state, and whether it can be.
// The state is nil at first: parts are told apart by their operations.
func step(state, input, output any) (bool, any) {
	switch in := input.(type) {
	case issue:
		last := stateOr(state, lastIssued{})
		next := lastIssued(in)
		rises := in.place.compare(last.place) > 0 && in.place.Seq > last.place.Seq && in.published > last.published
		return rises, next
	case lookIssued:
		if output == nil {
			return true, state
		}
		last, found := stateOr(state, lastIssued{}), output.(lastIssued)
		return found.place.compare(last.place) >= 0 && found.published >= last.published, found
	case offered:
		highest := stateOr(state, place{})
		if taken := output.(bool); !taken {
			return in.place.compare(highest) < 0, state
		}
		return in.place.compare(highest) >= 0, in.place
	case write:
		return true, in.value
	case read:
		if output == nil {
			return true, state
		}
		return stateOr(state, int64(0)) == output.(int64), state
	}
	return false, state
}

func stateOr[T any](state any, initial T) T {
	if state == nil {
		return initial
	}
	return state.(T)
}

var model = porcupine.Model{
	Partition: partition,
	Init:      func() any { return nil },
	Step:      step,
	DescribeOperation: func(input, output any) string {
		return fmt.Sprintf("%T%+v: %v", input, input, output)
	},
}

// operations are all of a history as porcupine has them.
func (h *history) operations() []porcupine.Operation {
	h.mu.Lock()
	defer h.mu.Unlock()
	ops := slices.Clone(h.ops)
	for _, o := range h.offers {
		at := h.since(o.at)
		ops = append(ops, porcupine.Operation{Input: offered{o.frontend, o.place}, Call: at, Output: !o.refused, Return: at})
	}
	return append(ops, h.issuesLocked()...)
}

// deliveryTime is how long before it is first seen a LeaseSet may have been made,
// at least.
const deliveryTime = 5 * time.Second

// issuesLocked are the LeaseSets that were seen, each once. When one was made is
// not known: before it was first seen, and in the order of their places, as they
// claim. Whether that can be is for the model; it also bounds its search.
func (h *history) issuesLocked() (issues []porcupine.Operation) {
	known := map[issue]bool{}
	for _, o := range h.offers {
		if in := (issue{o.place, o.published}); !known[in] {
			known[in] = true
			at := h.since(o.at)
			issues = append(issues, porcupine.Operation{Input: in, Call: at - deliveryTime.Nanoseconds(), Output: true, Return: at})
		}
	}
	slices.SortStableFunc(issues, func(a, b porcupine.Operation) int {
		return a.Input.(issue).place.compare(b.Input.(issue).place)
	})
	for i, next := range slices.Backward(issues) {
		if i > 0 {
			issues[i-1].Call = min(issues[i-1].Call, next.Call-1)
		}
		issues[i].Call = min(issues[i].Call, h.lookedUpLocked(next.Input.(issue).place))
	}
	return issues
}

// lookedUpLocked is when a look began that found that place, or a later one.
func (h *history) lookedUpLocked(p place) int64 {
	first := forever
	for _, op := range h.ops {
		if found, ok := op.Output.(lastIssued); ok && found.place.compare(p) >= 0 {
			first = min(first, op.Call)
		}
	}
	return first
}

// faults are all reasons for which nothing correct can have this history.
func (h *history) faults() (faults []string) {
	h.mu.Lock()
	faults = append(faults, h.sameDateLocked()...)
	faults = append(faults, h.fallingLocked()...)
	faults = append(faults, h.deadLocked()...)
	h.mu.Unlock()
	for _, ops := range partition(h.operations()) {
		if result := porcupine.CheckOperationsTimeout(model, ops, searchTime); result != porcupine.Ok {
			faults = append(faults, fmt.Sprintf("%s: %s: no order explains its %d operations: %s", part(ops[0].Input), result, len(ops), describe(ops)))
		}
	}
	return faults
}

// searchTime is how long the search for an order of one part may take. There is
// one at once if all is well.
const searchTime = time.Minute

// describe has the last operations of a part.
func describe(ops []porcupine.Operation) string {
	var b strings.Builder
	for _, op := range ops[max(0, len(ops)-40):] {
		fmt.Fprintf(&b, "\n\t%.3f-%.3f %s", float64(op.Call)/1e9, float64(op.Return)/1e9, model.DescribeOperation(op.Input, op.Output))
	}
	return b.String()
}
