package cluster_test

import (
	"errors"
	"time"
)

// judge looks at the state of the leader a last time and holds the history
// against the model.
func (w *world) judge() {
	w.t.Helper()
	w.until(time.Minute, "the leader's state is looked at", func() bool { return w.lookAtState() == nil })
	began := time.Now()
	for _, fault := range w.history.faults() {
		w.t.Error(fault)
	}
	w.history.mu.Lock()
	defer w.history.mu.Unlock()
	w.t.Logf("judged %d offers, %d LeaseSets on routers and in the netDB, %d operations, in %v",
		len(w.history.offers), len(w.history.seen), len(w.history.ops), time.Since(began).Round(time.Millisecond))
	if len(w.history.offers) == 0 || len(w.history.seen) == 0 {
		w.t.Error("no LeaseSet was seen: nothing was judged")
	}
}

// lookAtState notes what the leader's state has.
func (w *world) lookAtState() error {
	leader := w.leads()
	if leader == nil {
		return errNoAnswer
	}
	var a nodeState
	var err error
	w.history.do(lookIssued{}, func() any {
		if a, err = leader.ask(true, 10*time.Second); err != nil {
			return nil
		}
		return lastIssued{place{a.Generation, a.LastTerm, a.LastSeq}, int64(a.LastPublished)}
	})
	if err == nil && a.LastSeq == 0 {
		return errors.New("nothing was issued")
	}
	return err
}
