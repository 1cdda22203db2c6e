package i2cp

import (
	"io"
	"net"
	"time"
)

const (
	// asksPerKeepAlive is how often the router is asked within a KeepAlive.
	asksPerKeepAlive = 5
	// unanswered is how many in a row say that it hangs.
	unanswered = 4
)

// keepAlive asks the router for its date in short intervals, and closes the
// connection when there was no sign of life during some of them: no frame of
// any kind, and see lifeWriter. Both i2pd and Java I2P answer GetDate at any
// time; I2CP has no other message to ask with.
//
// It counts intervals, not time, and a Ticker drops those that nobody took: if
// it is we who were stopped or short of CPU, what waits is read first.
func (s *session) keepAlive() {
	ticker := time.NewTicker(s.client.cfg.KeepAlive / asksPerKeepAlive)
	defer ticker.Stop()
	for silent := 0; silent < unanswered; {
		s.sendFrame(s.getDate()) // if the queue is full it counts as asked
		select {
		case <-s.ended:
			return
		case <-ticker.C:
		}
		silent++
		if s.alive.Swap(false) {
			silent = 0
		}
	}
	s.silent.Store(true)
	s.conn.Close()
}

const (
	// writeChunk is the most that is written in one call.
	writeChunk = 64 << 10
	// readTime is how long a whole chunk takes if the router has to read first;
	// to copy it into the kernel's buffers takes a twentieth.
	readTime = time.Millisecond
	// sendBuffer bounds what waits in the kernel, where it delays a GetDate.
	sendBuffer = 128 << 10
)

// A lifeWriter writes to the router and takes it for a sign of life if a chunk
// had to wait and then went through: the router reads. One that is flooded, as
// i2pd 2.45.1 by 5,000 messages/s, answers a GetDate only after the thousands
// of messages before it, up to 7 s later (measured).
type lifeWriter struct{ s *session }

func (w lifeWriter) Write(b []byte) (int, error) {
	written := 0
	for written < len(b) {
		chunk := b[written:min(written+writeChunk, len(b))]
		began := time.Now()
		n, err := w.s.conn.Write(chunk)
		written += n
		if err != nil {
			return written, err
		}
		if len(chunk) == writeChunk && time.Since(began) >= readTime {
			w.s.alive.Store(true)
		}
	}
	return written, nil
}

// boundSendBuffer sets sendBuffer where there is one to set.
func boundSendBuffer(conn net.Conn) {
	if c, ok := conn.(interface{ SetWriteBuffer(bytes int) error }); ok {
		c.SetWriteBuffer(sendBuffer)
	}
}

var _ io.Writer = lifeWriter{}
