package sam

import (
	"fmt"
	"time"
)

// A heardReader notes when the server was heard of last.
type heardReader struct{ c *PacketClient }

func (h heardReader) Read(b []byte) (int, error) {
	n, err := h.c.nc.Read(b)
	if n > 0 {
		h.c.heard.Store(int64(time.Since(h.c.start)))
	}
	return n, err
}

// watch pings the server, ends the session when it is silent for too long,
// and cleans up when the session ends for whatever reason.
func (c *PacketClient) watch() {
	defer close(c.closed)
	defer c.teardown()
	timer := time.NewTimer(c.cfg.PingInterval)
	defer timer.Stop()
	for {
		select {
		case <-c.ctx.Done():
			return
		case <-timer.C:
		}
		left := c.cfg.PingTimeout - time.Since(c.start) + time.Duration(c.heard.Load())
		if left <= 0 {
			c.cancel(fmt.Errorf("nothing for %v: %w", c.cfg.PingTimeout, ErrHung))
			return
		}
		c.w.Append(func(b []byte) []byte { return append(AppendCommand(b, KindPing), '\n') })
		timer.Reset(min(c.cfg.PingInterval, left))
	}
}

// teardown flushes only after Close: in all other cases nobody reads. By the end of its
// connection a server says that it has passed on everything. Without that who closes a
// frontend next would take its router from under the last words, such as RESETs.
func (c *PacketClient) teardown() {
	if c.Err() == ErrClosed {
		by := time.Now().Add(flushTime)
		c.nc.SetWriteDeadline(by)
		c.w.Append(func(b []byte) []byte { return append(AppendCommand(b, KindQuit), '\n') })
		c.w.Close()
		select {
		case <-c.read:
		case <-time.After(time.Until(by)):
		}
	}
	c.nc.Close()
	c.w.Close()
	<-c.read
}
