package streaming

import "context"

// Settle waits until the streams that are closed by now have ended on both sides,
// with all that was written to them, or ctx ends. It is for a program that ends:
// Close of a Stream sends in the background, and Close of a Stack resets streams
// that have not ended. Those that are open are not waited for.
func (s *Stack) Settle(ctx context.Context) {
	s.mu.RLock()
	streams := make([]*Stream, 0, s.open)
	for _, byID := range s.remotes {
		for _, st := range byID {
			streams = append(streams, st)
		}
	}
	s.mu.RUnlock()
	for _, st := range streams {
		st.settle(ctx)
	}
}

func (st *Stream) settle(ctx context.Context) {
	defer context.AfterFunc(ctx, func() {
		st.mu.Lock()
		defer st.mu.Unlock()
		st.canWrite.Broadcast()
	})()
	st.mu.Lock()
	defer st.mu.Unlock()
	for st.appClosed && st.state != ended && ctx.Err() == nil {
		st.canWrite.Wait()
	}
}
