package sam

import (
	"context"
	"io"
	"time"
)

// quietAfter is how long a backend with a name may say nothing, not even PING,
// until it gets nothing new any more.
const quietAfter = 2 * time.Second

// watch finds out that the backend went silent, as it does when its process is
// stopped or its machine lost, which closes nothing.
func (ss *session) watch(ctx context.Context) {
	timer := time.NewTimer(quietAfter)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		left := quietAfter - time.Since(ss.conn.s.started) + time.Duration(ss.backend.heard.Load())
		if left <= 0 && !ss.backend.quiet.Swap(true) {
			ss.conn.s.log.Warn("backend is silent, new streams go to others", "backend", ss.backend.name)
		}
		timer.Reset(max(left, quietAfter/8))
	}
}

// A noticingReader notes that a named backend speaks. The connection's goroutine
// uses it.
type noticingReader struct{ c *conn }

func (r noticingReader) Read(b []byte) (int, error) {
	n, err := r.c.nc.Read(b)
	if ss := r.c.session; n > 0 && ss != nil && ss.backend != nil {
		ss.backend.heard.Store(int64(time.Since(ss.conn.s.started)))
		if ss.backend.quiet.Swap(false) {
			ss.conn.s.log.Info("backend speaks again", "backend", ss.backend.name)
		}
	}
	return n, err
}

var _ io.Reader = noticingReader{}
