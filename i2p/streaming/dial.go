package streaming

import (
	"context"
	"time"
)

// Dial begins a stream to a port of remote, from fromPort (0: none in particular),
// and returns when the remote has answered. It fails with ErrRefused, ErrTimeout,
// ctx, or what Config.Current says.
func (s *Stack) Dial(ctx context.Context, remote *Remote, fromPort, toPort uint16) (*Stream, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	origin, err := s.cfg.Current()
	if err != nil {
		return nil, err
	}
	st := s.newStream(origin, remote, fromPort, toPort)
	st.dialled = make(chan struct{})
	if err := s.add(st); err != nil {
		return nil, err
	}
	st.mu.Lock()
	syn := s.segments.get(0)
	syn.flags = FlagSync
	st.pushLocked(syn)
	st.outputLocked(s.now())
	st.mu.Unlock()
	if err := st.awaitAnswer(ctx); err != nil {
		return nil, err
	}
	s.counters.dialled.Add(1)
	return st, nil
}

// awaitAnswer returns when the remote has answered, or ends the stream.
func (st *Stream) awaitAnswer(ctx context.Context) error {
	var late <-chan time.Time
	if _, ok := ctx.Deadline(); !ok {
		timer := time.NewTimer(st.stack.cfg.ConnectTimeout)
		defer timer.Stop()
		late = timer.C
	}
	var err error
	select {
	case <-st.dialled:
	case <-ctx.Done():
		err = ctx.Err()
	case <-late:
		err = ErrTimeout
	}
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.state == ended && st.err != nil && st.remoteID == 0 {
		return st.err
	}
	if err != nil && st.state == dialling {
		st.endLocked(err, st.stack.now())
		return err
	}
	return nil
}
